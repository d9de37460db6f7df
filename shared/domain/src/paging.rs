//! Positions in a list that is read page by page. Pages become smaller where an answer would be too
//! large, and larger again afterwards.
//!
//! A position is a number of rows and not of pages, so it stays right when the size of the pages
//! changes: no row is passed over, and none is read twice because of it.

/// The numbers of rows that a page is requested with, largest first. Each is a multiple of the
/// next, so a page is covered exactly by pages of the next size. Xero accepts 1 to 1,000 rows
/// (`pageSize`), and uses the nearest of them for any other number.
pub const PAGE_SIZES: [u32; 4] = [1_000, 100, 10, 1];

/// The number of full pages of one size after which the next larger size is tried.
const PAGES_UNTIL_LARGER: u32 = 10;

/// How many smaller pages count as one page of the largest size.
const SMALLER_PAGES: u32 = 5;

/// Where a page of a list begins, and with how many rows it is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePosition {
    rows_before: u32,
    size: u32,
    /// The largest size that is requested in this list.
    largest: u32,
    /// Full pages of this size that were read.
    full_pages: u32,
}

impl PagePosition {
    /// The beginning of a list that is requested with the largest pages.
    pub const FIRST: Self = Self::first_of(PAGE_SIZES[0]);

    /// The beginning of a list that is requested with at most this many rows in a page: at least 1
    /// and at most 1,000.
    pub const fn first_of(size: u32) -> Self {
        let largest = PAGE_SIZES[0];
        let size = match size {
            0 => 1,
            size if size > largest => largest,
            size => size,
        };
        Self { rows_before: 0, size, largest: size, full_pages: 0 }
    }

    /// A position behind rows that an earlier reading has read.
    pub fn after_rows(rows: u32) -> Self {
        if rows == 0 {
            return Self::FIRST;
        }
        let fitting = PAGE_SIZES.into_iter().find(|size| rows.is_multiple_of(*size));
        let size = fitting.unwrap_or(1);
        Self { rows_before: rows, size, full_pages: PAGES_UNTIL_LARGER, ..Self::FIRST }
    }

    /// The number of rows of the list that come before the page.
    pub const fn rows_before(self) -> u32 {
        self.rows_before
    }

    /// The number of rows that the page is requested with.
    pub const fn page_size(self) -> u32 {
        self.size
    }

    /// The number of the page among pages of its size, from 1.
    pub const fn page_number(self) -> u32 {
        self.rows_before / self.size + 1
    }

    /// Whether the page is smaller than the list allows, because an answer was too large.
    pub const fn is_reduced(self) -> bool {
        self.size < self.largest
    }

    /// The same position with the next smaller pages; `None` if the page has a single row.
    pub fn with_smaller_pages(self) -> Option<Self> {
        let fits = |size: &u32| *size < self.size && self.rows_before.is_multiple_of(*size);
        let size = PAGE_SIZES.into_iter().find(fits)?;
        Some(Self { size, full_pages: 0, ..self })
    }

    /// The position behind this page, which was full. `full` is the size that Xero's answer names,
    /// at least 1: Xero may use another one than was requested, and then it is used from here on.
    #[must_use]
    pub fn after_full_page(self, full: u32) -> Self {
        if full != self.size {
            let rows_before = self.page_number().saturating_mul(full);
            return Self {
                rows_before,
                size: full,
                largest: full.min(self.largest),
                full_pages: 0,
            };
        }
        let rows_before = self.rows_before.saturating_add(full);
        Self { rows_before, full_pages: self.full_pages.saturating_add(1), ..self }
            .with_larger_pages()
    }

    /// The beginning of another list of the same rows. The size of the pages stays.
    #[must_use]
    pub fn at_list_start(self) -> Self {
        Self { rows_before: 0, ..self }.with_larger_pages()
    }

    /// The same position with larger pages, if enough pages of this size were read and a larger
    /// page can begin here.
    fn with_larger_pages(self) -> Self {
        let larger = PAGE_SIZES.into_iter().rev().find(|size| *size > self.size);
        let larger = larger.filter(|size| *size <= self.largest);
        match larger {
            Some(size)
                if self.full_pages >= PAGES_UNTIL_LARGER
                    && self.rows_before.is_multiple_of(size) =>
            {
                Self { size, full_pages: 0, ..self }
            }
            Some(_) | None => self,
        }
    }
}

/// The limit of the pages that one reading requests: a number of pages of the largest size, or five
/// times as many smaller ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u32);

impl PageLimit {
    /// A limit of this many pages of the largest size.
    pub const fn of_pages(pages: u32) -> Self {
        Self(pages.saturating_mul(SMALLER_PAGES))
    }

    /// Counts a page that was read at this position.
    pub fn count_page(&mut self, at: PagePosition) {
        self.0 = self.0.saturating_sub(if at.is_reduced() { 1 } else { SMALLER_PAGES });
    }

    /// Whether no more pages may be read.
    pub const fn is_reached(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows, from 0, that a list of this length shows at the position.
    fn rows(length: u32, at: PagePosition) -> std::ops::Range<u32> {
        let begin = (at.page_number() - 1) * at.page_size();
        begin.min(length)..(begin + at.page_size()).min(length)
    }

    #[test]
    fn a_smaller_page_begins_at_the_same_row_down_to_a_single_row() {
        let mut at = PagePosition::after_rows(2_000);
        let mut sizes = vec![at.page_size()];
        while let Some(smaller) = at.with_smaller_pages() {
            at = smaller;
            sizes.push(at.page_size());
            assert_eq!((at.page_number() - 1) * at.page_size(), 2_000);
        }
        assert_eq!(sizes, PAGE_SIZES);
    }

    #[test]
    fn every_row_is_read_once_in_order_wherever_pages_are_too_large() {
        for too_large in [vec![], vec![0], vec![499], vec![999], vec![1_000, 1_009, 2_499]] {
            let (mut at, mut read, mut calls) = (PagePosition::FIRST, Vec::new(), 0);
            loop {
                calls += 1;
                let shown = rows(2_500, at);
                let is_too_large = too_large.iter().any(|row| shown.contains(row));
                if let Some(smaller) = at.with_smaller_pages().filter(|_| is_too_large) {
                    at = smaller;
                    continue;
                }
                let is_last = shown.len() < usize::try_from(at.page_size()).unwrap();
                read.extend(shown);
                if is_last {
                    break;
                }
                at = at.after_full_page(at.page_size());
            }
            assert_eq!(read, (0..2_500).collect::<Vec<_>>(), "{too_large:?}");
            assert!(calls < 200, "{too_large:?}: {calls} calls");
        }
    }

    #[test]
    fn ten_full_pages_lead_to_larger_ones_where_one_can_begin() {
        let mut at = PagePosition::FIRST.with_smaller_pages().unwrap();
        for _ in 0..9 {
            at = at.after_full_page(100);
            assert_eq!(at.page_size(), 100);
        }
        assert_eq!(
            (at.after_full_page(100).page_size(), at.after_full_page(100).page_number()),
            (1_000, 2)
        );
        let resumed = PagePosition::after_rows(507);
        assert_eq!((resumed.page_size(), resumed.page_number()), (1, 508));
        let resumed = (0..3).fold(resumed, |at, _| at.after_full_page(1));
        assert_eq!(
            (resumed.rows_before(), resumed.page_size(), resumed.page_number()),
            (510, 10, 52)
        );
        // A list of other rows may begin with a larger page at once.
        let at = (0..2).fold(PagePosition::after_rows(3), |at, _| at.after_full_page(1));
        assert_eq!((at.rows_before(), at.page_size()), (5, 1));
        assert_eq!((at.at_list_start().rows_before(), at.at_list_start().page_size()), (0, 10));
    }

    #[test]
    fn the_size_that_xero_uses_is_used_from_there_on() {
        let second = PagePosition::FIRST.after_full_page(50);
        assert_eq!((second.rows_before(), second.page_size(), second.page_number()), (50, 50, 2));
        let third = (0..30).fold(second, |at, _| at.after_full_page(50));
        assert_eq!((third.page_size(), third.page_number()), (50, 32));
        assert!(!third.is_reduced());
        let smaller = second.with_smaller_pages().unwrap();
        assert_eq!((smaller.page_size(), smaller.page_number()), (10, 6));
    }

    #[test]
    fn a_list_of_a_few_rows_is_requested_with_no_more() {
        assert_eq!(PagePosition::first_of(50).page_size(), 50);
        assert_eq!(PagePosition::first_of(50).with_smaller_pages().unwrap().page_size(), 10);
        assert_eq!(PagePosition::first_of(0).page_size(), 1);
        assert_eq!(PagePosition::first_of(5_000), PagePosition::FIRST);
    }

    #[test]
    fn smaller_pages_use_a_fifth_of_the_limit() {
        let (mut large, mut small) = (PageLimit::of_pages(20), PageLimit::of_pages(20));
        let reduced = PagePosition::FIRST.with_smaller_pages().unwrap();
        for _ in 0..20 {
            assert!(!large.is_reached());
            large.count_page(PagePosition::FIRST);
            small.count_page(reduced);
        }
        assert!(large.is_reached() && !small.is_reached());
        (0..80).for_each(|_| small.count_page(reduced));
        assert!(small.is_reached());
    }
}

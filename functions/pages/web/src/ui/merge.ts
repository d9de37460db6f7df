/** Merges what two people changed in the same settings. */

interface Tree {
  [name: string]: unknown;
}

/** A field that someone else changed. */
export interface OtherChange {
  /** The name of the field, after that of the field that contains it, such as `tax_types.20`. */
  field: string;
  /** What the other person chose; undefined for nothing. */
  value: unknown;
  /** Whether the user changed it too. The user's choice is kept. */
  isOwn: boolean;
}

/** Whether two settings are equal. The order of their fields does not matter. */
export function isSame(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

/**
 * The settings `theirs` with all that the user changed between `before` and `mine`. Adds to `changes`
 * what someone else changed since `before`.
 */
export function mergeSettings<Settings extends object>(before: Settings, mine: Settings, theirs: Settings, changes: OtherChange[]): Settings {
  return merge("", before, mine, theirs, changes) as Settings;
}

function merge(field: string, before: unknown, mine: unknown, theirs: unknown, changes: OtherChange[]): unknown {
  const sides = [before, mine, theirs];
  // The only lists are those of tracking options, which have one option for each category.
  if (sides.some(Array.isArray)) {
    const [a, b, c] = sides.map((list) => Object.fromEntries(((list ?? []) as Tree[]).map(({ category, option }) => [category, option])) as Tree);
    const merged = merge(field, a, b, c, changes) as Tree | undefined;
    return merged && Object.entries(merged).map(([category, option]) => ({ category, option }));
  }
  if (sides.some((side) => typeof side === "object")) {
    const [a = {}, b = {}, c = {}] = sides as (Tree | undefined)[];
    const entries = Object.keys({ ...c, ...b, ...a }).map((name) => [name, merge(field ? `${field}.${name}` : name, a[name], b[name], c[name], changes)]);
    const present = entries.filter(([, value]) => value !== undefined);
    return present.length > 0 ? Object.fromEntries(present) : undefined;
  }
  const isOwn = mine !== before;
  if (theirs !== before && theirs !== mine) changes.push({ field, value: theirs, isOwn });
  return isOwn ? mine : theirs;
}

function canonical(settings: unknown): string {
  return JSON.stringify(settings, (_name, value: unknown) =>
    value && typeof value === "object" && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value,
  );
}

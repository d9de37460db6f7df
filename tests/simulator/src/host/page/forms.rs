//! The buttons and forms of the page.

/// A button that does something at once.
pub(super) fn button(path: &str, action: &str) -> String {
    form(path, action, &[])
}

/// A field of a form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    /// A short text: its name and what stands in it while it is empty.
    Text(&'static str, &'static str),
    /// A day.
    Day(&'static str),
    /// A box to tick.
    Tick(&'static str),
}

/// How money came or went.
pub(super) const RECEIPT: [Input; 6] = [
    Input::Text("amount", "amount"),
    Input::Day("date"),
    Input::Text("account", "account"),
    Input::Text("reference", "reference"),
    Input::Text("rate", "rate"),
    Input::Tick("reconciled"),
];

/// A button with fields before it.
pub(super) fn form(path: &str, action: &str, inputs: &[Input]) -> String {
    labelled(&format!("{path}/{action}"), action, inputs)
}

/// The same, with words on the button that are not the path's.
pub(super) fn labelled(path: &str, label: &str, inputs: &[Input]) -> String {
    let fields: String = inputs.iter().map(field).collect();
    format!(
        "<form method=\"post\" action=\"/_simulator/{path}\">{fields}\
         <button>{label}</button></form> "
    )
}

/// A button that sends one value.
pub(super) fn choice(path: &str, name: &str, value: &str) -> String {
    format!(
        "<form method=\"post\" action=\"/_simulator/{path}\">\
         <button name=\"{name}\" value=\"{value}\">{value}</button></form> "
    )
}

/// Forms that are out of the way until somebody wants them.
pub(super) fn folded(forms: &str) -> String {
    format!("<details><summary>more</summary>{forms}</details>")
}

fn field(input: &Input) -> String {
    match input {
        Input::Text(name, hint) => {
            format!(
                "<input name=\"{name}\" placeholder=\"{hint}\" aria-label=\"{hint}\" size=\"9\">"
            )
        }
        Input::Day(name) => format!("<input name=\"{name}\" type=\"date\" aria-label=\"{name}\">"),
        Input::Tick(name) => {
            format!("<label><input name=\"{name}\" type=\"checkbox\"> {name}</label> ")
        }
    }
}

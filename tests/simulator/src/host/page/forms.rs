//! The buttons and forms of the page.

/// A button that performs an action at once.
pub(super) fn button(path: &str, action: &str) -> String {
    form(path, action, &[])
}

/// A field of a form.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    /// A short text: its name and its placeholder.
    Text(&'static str, &'static str),
    /// A date.
    Day(&'static str),
    /// A check box.
    Tick(&'static str),
}

/// The details of a payment.
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

/// The same, with a label that differs from the path.
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

/// The form that overrides a member of a row; without a value the member is omitted.
pub(super) fn override_form(path: &str) -> String {
    let inputs = [Input::Text("member", "member"), Input::Text("value", "value")];
    let form = form(path, "override", &inputs);
    format!("<details><summary>override</summary>{form}</details>")
}

/// Forms that are collapsed by default.
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

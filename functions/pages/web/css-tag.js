/**
 * The part of Lit that makes style sheets, without its fallback for browsers that cannot share a style
 * sheet between elements. The styles need newer browsers anyway, because of `light-dark()`. The build
 * puts it in the place of Lit's module of the same name, whose exports it has.
 */
export const supportsAdoptingStyleSheets = true;

/** Makes a style sheet from a template without expressions. */
export function css([text]) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

export function adoptStyles(root, sheets) {
  root.adoptedStyleSheets = sheets;
}

export function getCompatibleStyle(sheet) {
  return sheet;
}

// Nothing here uses these.
export const CSSResult = undefined;
export const unsafeCSS = undefined;

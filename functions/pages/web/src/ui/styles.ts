/** The look of all elements. */
import { blocks } from "./styles/blocks.js";
import { controls } from "./styles/controls.js";
import { tables } from "./styles/tables.js";
import { text } from "./styles/text.js";
import { theme } from "./styles/theme.js";

export const styles = [theme, text, controls, blocks, tables];

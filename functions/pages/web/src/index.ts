/** The elements of the Xero pages. Loading this script defines all of them. */
export { configure, type Options } from "./api/session.js";
import "./components/accounts.js";
import "./components/attention.js";
import "./components/badge.js";
import "./components/books.js";
import "./components/client.js";
import "./components/connection.js";
import "./components/contact-search.js";
import "./components/invoice.js";
import "./components/matching.js";
import "./components/preferences.js";
import "./components/settings.js";
import "./components/setup.js";
import "./components/sync-log.js";

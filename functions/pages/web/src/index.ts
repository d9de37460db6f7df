/** The elements of the Xero pages. Loading this script defines all of them. */
// The order makes the compressed bundle as small as it is: what is alike stands close together.
import "./components/attention.js";
import "./components/badge.js";
import "./components/matching.js";
import "./components/sync-log.js";
import "./components/preferences.js";
import "./components/contact-search.js";
import "./components/books.js";
import "./components/invoice.js";
import "./components/setup.js";
import "./components/connection.js";
import "./components/accounts.js";
import "./components/settings.js";
import "./components/client.js";
export { configure, type Options } from "./api/session.js";

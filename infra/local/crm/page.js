import { configure } from "https://xero-api.example.com/pages/xero.js";

const PAGES = { contact: "clients", invoice: "invoices", credit_note: "credit-notes" };

configure({
  // The CRM's server signs a token for the user of its session.
  getToken: async () => {
    const response = await fetch("/session/xero-token", { method: "POST" });
    if (!response.ok) throw new Error("The user is not signed in.");
    return response.text();
  },
  // The address of a record in the CRM.
  linkTo: (kind, id) => (kind in PAGES ? `/${PAGES[kind]}/${encodeURIComponent(id)}` : undefined),
  settingsUrl: "/settings/integrations/xero",
});

// The number of records that need attention, for a badge in the CRM's menu.
document.addEventListener("servicecortex-xero-attention", (event) => {
  document.querySelector("#xero-attention").textContent = event.detail.count || "";
});

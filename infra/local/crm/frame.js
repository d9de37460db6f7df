const API = "https://xero-api.example.com";
const frame = document.querySelector("#xero");
const returned = new URLSearchParams(location.search);

async function getToken() {
  const response = await fetch("/session/xero-token", { method: "POST" });
  if (!response.ok) throw new Error("The user is not signed in.");
  return response.text();
}

window.addEventListener("message", (event) => {
  if (event.origin !== API || event.source !== frame.contentWindow || event.data !== "servicecortex-xero:hello") return;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = async ({ data }) => {
    if (data.type === "token") port1.postMessage({ type: "token", id: data.id, token: await getToken() });
    if (data.type === "height") frame.height = data.height;
  };
  frame.contentWindow.postMessage("servicecortex-xero:port", API, [port2]);
  // What the consent page of Xero appended to the address of this page, if the user has just returned from it.
  const [landing, ticket] = [returned.get("xero"), returned.get("ticket")];
  if (landing) port1.postMessage({ type: "options", landing, ticket: ticket ?? undefined });
});

// The frame greets this page as soon as it is loaded, so it is loaded last.
frame.src = `${API}/pages/settings`;

/** One harness for the tests of a file, and what they do with its pages. */
import { after, before } from "node:test";
import { Harness } from "./harness.mjs";

/** Starts a harness before the first test of the calling file, and stops it after the last one. */
export function startSession() {
  let harness;
  before(async () => {
    harness = await Harness.start();
  });
  after(() => harness.stop());
  return {
    /** The harness, once the first test begins. */
    get harness() {
      return harness;
    },
    /** Opens a scenario and waits until its page has settled. The recorded requests begin with it. */
    async open(name, options) {
      harness.requests.length = 0;
      const opened = await harness.openScenario(name, options);
      await harness.settle(opened.page);
      return opened;
    },
    /** The recorded requests with this method and path. */
    asked: (method, path) => harness.requests.filter((one) => one.method === method && one.path === path),
  };
}

// The situations in which a person may see the pages. Each one starts its programs and returns the pages to open.

import { eventually } from "./programs.mjs";

const QUIET = ["--simulator.traffic", "false"];
const HOSTILE = `<img src=x onerror="document.title='pwned'">'"&amp;`;
const LONG = "The spring sale of everything that a customer could possibly want, in all countries, ".repeat(3);

/** One account in YAML. */
export function account(name, base, more = "") {
  return `- name: ${JSON.stringify(name)}
  api_key_sid: SK00000000000000000000000000000000
  api_key_secret_file: token
  base_url: ${base}
  max_requests_per_second: 1000
${more}`;
}

const scrape = (url) => fetch(`${url}/metrics`).then((response) => response.text());
export const facts = async (url) => (await fetch(url, { headers: { Accept: "application/json" } })).json();

async function failing(programs, fault, path = "/v1") {
  const twilio = await programs.simulator(...QUIET, "--simulator.operations", "5", ...(fault ? ["--simulator.fault", fault] : []));
  const exporter = await programs.exporter(account("marketing", `http://${twilio}${path}`));
  await scrape(exporter.url);
  return exporter;
}

async function counted(programs, operations, ...options) {
  const active = Math.min(operations, 40);
  const twilio = await programs.simulator(
    ...QUIET, "--simulator.operations", String(operations), "--simulator.active", String(active));
  const exporter = await programs.exporter(account("marketing", `http://${twilio}/v1`), ...options);
  await eventually("all operations", async () => (await facts(exporter.url)).operations.total === operations);
  return exporter;
}

const page = (name, url, ...words) => ({ name, url, words });

export const scenes = {
  async fresh(programs) {
    const { url } = await counted(programs, 40);
    return [page("fresh", `${url}/`, "Prometheus does not scrape this exporter yet", `targets: ["${url.slice(7)}"]`)];
  },
  async none(programs) {
    const { url } = await counted(programs, 0);
    await scrape(url);
    return [page("none", `${url}/`, "The exporter works", "There is no operation.")];
  },
  async one(programs) {
    const { url } = await counted(programs, 1, "--storage.path", "", "--web.grafana-url", "http://grafana.example.com");
    await scrape(url);
    const [operation] = (await facts(url)).operations.items;
    return [
      page("one", `${url}/`, "1 operation", "1 note"),
      page("one-operation", `${url}/operations/${operation.id}`, operation.id, "Its dashboard in Grafana"),
    ];
  },
  async proxied(programs) {
    const { url } = await counted(programs, 40);
    await scrape(url);
    const proxy = await programs.proxy(url, "/team/mail");
    const [operation] = (await facts(url)).operations.items;
    return [
      page("proxied", `${proxy}/`, "The exporter works", "1–25 of 40"),
      page("proxied-operation", `${proxy}/operations/${operation.id}`, "Probe it now"),
    ];
  },
  async thousand(programs) {
    const { url } = await counted(programs, 1000, "--web.enable-api", "true");
    await scrape(url);
    return [
      page("thousand", `${url}/`, "1,000", "API description", "Next"),
      page("thousand-worst", `${url}/?sort=worst&page=2`, "26–50 of 1,000"),
      page("no-match", `${url}/?q=nothing-has-this`, "No operation matches."),
    ];
  },
  async unauthorized(programs) {
    const { url } = await failing(programs, "401");
    return [page("unauthorized", `${url}/`, "Twilio rejects the API key of account marketing (401)", "Create a new key", "Since")];
  },
  async forbidden(programs) {
    const { url } = await failing(programs, "403");
    return [page("forbidden", `${url}/`, "Twilio denies the API key of account marketing access to the Email API (403)")];
  },
  async "list-forbidden"(programs) {
    const { url } = await failing(programs, "list=403");
    return [page("list-forbidden", `${url}/`, "(403)")];
  },
  async "wrong-url"(programs) {
    const { url } = await failing(programs, null, "/wrong");
    return [page("wrong-url", `${url}/`, "There is no list of operations of account marketing at the base URL (404)", "Check the base URL")];
  },
  async html(programs) {
    const { url } = await failing(programs, "html");
    return [page("html", `${url}/`, "does not match Twilio's documentation", "Check the base URL")];
  },
  async unreachable(programs) {
    const { url } = await programs.exporter(
      account("refused", "http://127.0.0.1:1/v1") + account("unknown", "http://no-such-host.invalid/v1"));
    await scrape(url);
    return [page("unreachable", `${url}/`, "connection refused", "2 problems")];
  },
  async "rate-limited"(programs) {
    const { url } = await failing(programs, "429:retry-after=60");
    return [page("rate-limited", `${url}/`, "Twilio limits the rate of requests of account marketing (429)", "paused")];
  },
  async unavailable(programs) {
    const { url } = await failing(programs, "503");
    return [page("unavailable", `${url}/`, "Twilio is not available for account marketing (503)")];
  },
  async sixty(programs) {
    const twilio = await programs.simulator(...QUIET, "--simulator.operations", "30", "--simulator.active", "30");
    const refused = await programs.simulator(...QUIET, "--simulator.fault", "401");
    const accounts = Array.from({ length: 60 }, (_, n) => account(`customer-${n}`, `http://${n % 4 === 3 ? refused : twilio}/v1`));
    const { url } = await programs.exporter(accounts.join(""), "--storage.path", "");
    await scrape(url);
    return [
      page("sixty", `${url}/`, "15 problems", "14 more with the same cause", "1–12 of 60 accounts", "customer-59", "Next accounts"),
      page("sixty-last", `${url}/?accounts_page=5&account=customer-0`, "49–60 of 60 accounts"),
    ];
  },
  async five(programs) {
    const twilio = await programs.simulator("--simulator.operations", "30", "--simulator.active", "30");
    const other = await programs.simulator(...QUIET, "--simulator.operations", "3", "--simulator.active", "3");
    const refused = await programs.simulator(...QUIET, "--simulator.fault", "401");
    const exporter = await programs.exporter(
      account("marketing", `http://${twilio}/v1`, "  operation_files: [labels.yml]\n") +
        account("transactional", `http://${other}/v1`) +
        account("an-account-with-a-name-that-is-so-long-that-it-fits-nowhere", `http://${other}/v1`) +
        account(HOSTILE, `http://${refused}/v1`) +
        account("receipts", `http://${other}/v1`, "  operation_files: [missing.yml]\n"),
      "--web.grafana-url", "http://grafana.example.com/sub/");
    const { url, write } = exporter;
    await eventually("operations", async () => (await facts(url)).operations.total > 30);
    const known = (await facts(`${url}/?account=marketing`)).operations.items;
    const labels = [
      { name: "Spring sale", campaign: "spring", team: "blue" },
      { name: LONG.slice(0, 200), campaign: "spring" },
      { name: HOSTILE, campaign: "x".repeat(120), team: "red", region: "eu", kind: "bulk" },
      { campaign: "welcome" },
      { team: "green" },
    ];
    const listed = labels.map((each, at) => `- targets: [${known[at].id}]\n  labels: ${JSON.stringify(each)}\n`);
    write("labels.yml", listed.join(""));
    await eventually("labels", async () => {
      await scrape(url);
      return (await facts(`${url}/?label=team%3Dblue`)).operations.matching === 1;
    });
    return [
      page("five", `${url}/`, "Spring sale", "an-account-with", "(401)"),
      page("five-filtered", `${url}/?account=marketing&label=campaign%3Dspring&q=SPRING&sort=in_flight`, "2 that match"),
      page("named-operation", `${url}/operations/${known[0].id}?account=marketing`, "Spring sale", "the file", "Probe it now"),
      page("hostile-operation", `${url}/operations/${known[2].id}?account=marketing`, HOSTILE),
      page("no-operation", `${url}/operations/nothing`, "This address names no operation"),
    ];
  },
};

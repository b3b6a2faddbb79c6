// Starts simulators and exporters on free ports of loopback, and stops them.

import { spawn } from "node:child_process";
import { createServer, request } from "node:http";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LIMIT = 60_000;

/** Repeats `attempt` until it returns something; fails loudly after a limit. */
export async function eventually(what, attempt) {
  const end = Date.now() + LIMIT;
  for (;;) {
    const result = await attempt();
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${LIMIT / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export class Programs {
  #binary;
  #running = [];
  #directories = [];
  #proxies = [];

  constructor(binary) {
    this.#binary = binary;
    // No program may continue to run, not even after an uncaught error.
    process.on("exit", () => {
      for (const child of this.#running) child.kill("SIGKILL");
      for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
    });
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  }

  /** Starts the program and returns its address. */
  async #start(args, directory) {
    // Without the developer's own account and proxies.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^TWILIO_|_proxy$/i.test(name)));
    const child = spawn(this.#binary, args, { stdio: ["ignore", "pipe", "pipe"], env, cwd: directory });
    this.#running.push(child);
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (log += data));
    return eventually(`${args[0]} listens`, () => {
      if (child.exitCode !== null) throw new Error(`${args.join(" ")} ended:\n${log}`);
      return /(?:listening|simulating).*?(127\.0\.0\.1:\d+)/.exec(log)?.[1];
    });
  }

  /** A simulated account. */
  simulator(...options) {
    return this.#start(["simulate", "--simulator.listen-address", "127.0.0.1:0", ...options], this.directory());
  }

  /** An exporter of `accounts` (YAML), and a function that writes a file beside its configuration. */
  async exporter(accounts, ...options) {
    const directory = this.directory();
    const write = (name, text) => writeFileSync(join(directory, name), text);
    write("token", "made-up-token");
    write("config.yml", `accounts:\n${accounts}`);
    const storage = options.includes("--storage.path") ? [] : ["--storage.path", join(directory, "data")];
    const address = await this.#start(
      ["serve", "--config.file", "config.yml", "--web.listen-address", "127.0.0.1:0", ...storage, ...options],
      directory,
    );
    const url = `http://${address}`;
    await eventually("a first collection", async () => (await fetch(`${url}/-/ready`)).ok);
    return { url, write };
  }

  /** A reverse proxy that serves `url` under a path, which it removes from requests. */
  async proxy(url, path) {
    const server = createServer((incoming, outgoing) => {
      if (!incoming.url.startsWith(`${path}/`)) {
        outgoing.writeHead(404).end();
        return;
      }
      const options = { method: incoming.method, headers: incoming.headers };
      const forwarded = request(url + incoming.url.slice(path.length), options, (response) => {
        outgoing.writeHead(response.statusCode, response.headers);
        response.pipe(outgoing);
      });
      forwarded.on("error", () => outgoing.destroy());
      incoming.pipe(forwarded);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#proxies.push(server);
    return `http://127.0.0.1:${server.address().port}${path}`;
  }

  directory() {
    const directory = mkdtempSync(join(tmpdir(), "twilio-email-browser-"));
    this.#directories.push(directory);
    return directory;
  }

  /** Stops a group of programs: those that started since the last call. */
  async stop() {
    for (const proxy of this.#proxies) {
      proxy.closeAllConnections();
      proxy.close();
    }
    this.#proxies = [];
    const ends = this.#running.map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve();
      else child.once("exit", resolve);
      child.kill("SIGKILL");
    }));
    await Promise.all(ends);
    for (const directory of this.#directories) rmSync(directory, { recursive: true, force: true });
    [this.#running, this.#directories] = [[], []];
  }
}

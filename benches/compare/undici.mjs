// Lists or reads operations with undici, and prints metrics. Usage: node undici.mjs list|read BASE AT_ONCE [FILE-OF-IDS]
import fs from "node:fs";
import { Pool } from "undici";

const [task, base, atOnce, file] = process.argv.slice(2);
const url = new URL(base);
const pool = new Pool(url.origin, { connections: Number(atOnce) });
const login = Buffer.from(`${process.env.TWILIO_ACCOUNT_SID}:${process.env.TWILIO_AUTH_TOKEN}`).toString("base64");
const headers = { authorization: `Basic ${login}`, accept: "application/json" };
const lines = [];

async function get(path) {
    const response = await pool.request({ method: "GET", path: url.pathname + path, headers });
    const body = await response.body.json();
    if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
    return body;
}

function show({ id, stats }) {
    for (const [status, count] of Object.entries(stats)) {
        lines.push(`twilio_email_operation_emails{operation_id="${id}",status="${status}"} ${count}\n`);
    }
}

if (task === "list") {
    let token = null;
    do {
        const more = token ? `&pageToken=${encodeURIComponent(token)}` : "";
        const page = await get(`/Emails/Operations?pageSize=1000${more}`);
        page.operations.forEach(show);
        token = page.pagination.next;
    } while (token);
} else {
    const ids = fs.readFileSync(file, "utf8").trim().split("\n").values();
    const work = async () => {
        for (const id of ids) show(await get(`/Emails/Operations/${id}`));
    };
    await Promise.all(Array.from({ length: Number(atOnce) }, work));
}
fs.writeSync(1, lines.join(""));
await pool.close();

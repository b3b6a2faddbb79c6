"""Lists or reads operations with aiohttp, and prints metrics. Usage: with_aiohttp.py list|read BASE AT_ONCE [FILE-OF-IDS]"""

import asyncio
import os
import pathlib
import sys

import aiohttp

task, base, at_once = sys.argv[1], sys.argv[2], int(sys.argv[3])
login = aiohttp.BasicAuth(os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
lines = []


def show(operation):
    for status, count in operation["stats"].items():
        lines.append(f'twilio_email_operation_emails{{operation_id="{operation["id"]}",status="{status}"}} {count}\n')


async def get(session, path, **parameters):
    async with session.get(base + path, params=parameters) as response:
        response.raise_for_status()
        return await response.json()


async def read(session, ids):
    for one in ids:
        show(await get(session, f"/Emails/Operations/{one}"))


async def main():
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(auth=login, connector=connector) as session:
        if task == "list":
            parameters = {"pageSize": "1000"}
            while True:
                page = await get(session, "/Emails/Operations", **parameters)
                for operation in page["operations"]:
                    show(operation)
                if not page["pagination"]["next"]:
                    break
                parameters["pageToken"] = page["pagination"]["next"]
        else:
            ids = iter(pathlib.Path(sys.argv[4]).read_text().split())
            await asyncio.gather(*(read(session, ids) for _ in range(at_once)))


asyncio.run(main())
sys.stdout.write("".join(lines))

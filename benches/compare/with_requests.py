"""Lists or reads operations with requests, and prints metrics. Usage: with_requests.py list|read BASE AT_ONCE [FILE-OF-IDS]"""

import os
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import requests
from requests.adapters import HTTPAdapter

task, base, at_once = sys.argv[1], sys.argv[2], int(sys.argv[3])
session = requests.Session()
session.auth = (os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
session.mount("http://", HTTPAdapter(pool_maxsize=at_once))
# Proxies and `.netrc` would be looked up for every request.
session.trust_env = False
lines = []


def show(operation):
    for status, count in operation["stats"].items():
        lines.append(f'twilio_email_operation_emails{{operation_id="{operation["id"]}",status="{status}"}} {count}\n')


def get(path, **parameters):
    response = session.get(base + path, params=parameters, timeout=60)
    response.raise_for_status()
    return response.json()


if task == "list":
    parameters = {"pageSize": 1000}
    while True:
        page = get("/Emails/Operations", **parameters)
        for operation in page["operations"]:
            show(operation)
        if not page["pagination"]["next"]:
            break
        parameters["pageToken"] = page["pagination"]["next"]
else:
    ids = pathlib.Path(sys.argv[4]).read_text().split()
    with ThreadPoolExecutor(at_once) as pool:
        for operation in pool.map(lambda one: get(f"/Emails/Operations/{one}"), ids):
            show(operation)
sys.stdout.write("".join(lines))

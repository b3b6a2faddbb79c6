// Keeps the page current: requests it at an interval and updates what differs in elements with `data-live`. Nodes are kept where
// possible, so focus, selection and scroll position do not change. Without this script the page is complete, but not updated.
"use strict";

(() => {
  const INTERVAL = 10000;
  // Shorter than the interval, so that a server that does not respond is reported before the next try.
  const TIMEOUT = 8000;
  const button = document.getElementById("pause");
  const announcement = document.getElementById("announcement");
  const clock = document.getElementById("updated");
  let paused = false;
  let running = false;

  const isAlike = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.id === other.id;

  const sync = (current, next) => {
    if (current.nodeType !== Node.ELEMENT_NODE) {
      if (current.nodeValue !== next.nodeValue) current.nodeValue = next.nodeValue;
      return;
    }
    for (const { name } of [...current.attributes]) {
      // What the reader opened stays open.
      if (!next.hasAttribute(name) && name !== "open") current.removeAttribute(name);
    }
    for (const { name, value } of [...next.attributes]) {
      if (current.getAttribute(name) !== value) current.setAttribute(name, value);
    }
    syncChildren(current, [...next.childNodes]);
  };

  // A node with an id, such as the row of an operation, is kept when other nodes are inserted before it or removed: a focused link
  // must not become the link of another operation.
  const syncChildren = (current, nodes) => {
    const ids = new Set(nodes.map((node) => node.id).filter(Boolean));
    for (const child of [...current.children]) if (child.id && !ids.has(child.id)) child.remove();
    let cursor = current.firstChild;
    for (const node of nodes) {
      const known = node.id && [...current.children].find((child) => child.id === node.id);
      if (known && known !== cursor) {
        current.insertBefore(known, cursor);
        sync(known, node);
      } else if (cursor && isAlike(cursor, node)) {
        sync(cursor, node);
        cursor = cursor.nextSibling;
      } else if (cursor && !cursor.id && !node.id) {
        const following = cursor.nextSibling;
        cursor.replaceWith(node);
        cursor = following;
      } else {
        current.insertBefore(node, cursor);
      }
    }
    while (cursor) {
      const following = cursor.nextSibling;
      cursor.remove();
      cursor = following;
    }
  };

  // The element that the reader looks at: the focused one if it is in view, otherwise the one at the top. It does not move.
  const anchorOf = () => {
    const focused = document.activeElement;
    const box = focused?.getBoundingClientRect();
    const isInView = focused !== document.body && box.bottom > 0 && box.top < innerHeight;
    return (isInView && focused) || document.elementFromPoint(innerWidth / 2, 1) || document.body;
  };

  // The values stay, and their time shows their age.
  const report = (problem) => {
    if (clock.dataset.problem === problem) return;
    clock.querySelector(".problem")?.remove();
    clock.dataset.problem = problem;
    clock.classList.add("stale");
    const text = document.createElement("span");
    text.className = "problem";
    text.textContent = ` – ${problem}`;
    clock.append(text);
    announcement.textContent = problem;
  };

  const problemOf = (status) => {
    if (status === 404) return "this page is gone: the operation has expired";
    if (status === 401 || status === 403) return `the exporter rejects this browser (${status}): reload the page`;
    return `the exporter returned ${status}`;
  };

  const refresh = async () => {
    if (paused || running || document.hidden) return;
    running = true;
    try {
      // Not location.href: it may hold a password, which fetch refuses.
      const response = await fetch(`${location.origin}${location.pathname}${location.search}`, {
        headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT),
      });
      const next = new DOMParser().parseFromString(await response.text(), "text/html");
      if (paused) return;
      if (!response.ok) return report(problemOf(response.status));
      // A proxy's own page, such as a login page.
      if (!next.getElementById(clock.id)) return report("another server responds: reload the page");
      const before = document.getElementById("headline")?.textContent;
      const anchor = anchorOf();
      const top = anchor.getBoundingClientRect().top;
      for (const live of document.querySelectorAll("[data-live]")) {
        const replacement = next.getElementById(live.id);
        if (replacement) sync(live, replacement);
      }
      if (anchor.isConnected) {
        scrollBy({ top: anchor.getBoundingClientRect().top - top, behavior: "instant" });
      }
      const after = document.getElementById("headline")?.textContent;
      if (before !== after) announcement.textContent = after ?? "";
    } catch {
      report("the exporter does not respond");
    } finally {
      running = false;
    }
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Continue updates" : "Pause updates";
    refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  setInterval(refresh, INTERVAL);
})();

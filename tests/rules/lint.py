"""What a linter of Prometheus rules would say, without a server: every expression is parsed, and its labels are followed from the metrics to the alerts.

tests/mixin calls `problems`. It takes metrics, types and labels from docs/metrics.md, which is written from the program's own table. Checked is:

- Selectors name metrics and labels that exist, and no regular expression is used where equality does.
- Rates are of counters, over at least three scrapes at 5 minutes.
- Both sides of a join have the labels of `on`, and sides that are compared without one have the same labels.
- The labels of a recorded series are those of the level in its name; those that an alert's texts use are left in its result.
- An alert has a condition, and a rule reads no series that is recorded after it in its own group.
- No rule looks back further than 15 days, the default retention of Prometheus.
- Names are unique, no group has more rules than Mimir accepts, and groups and rules have only the keys that Mimir supports.
"""

import re
from datetime import timedelta

import promql_parser as promql

# The labels of a target: any series may have them.
TARGET = {"cluster", "environment", "namespace", "job", "instance", "pod", "container", "endpoint", "node", "service", "prometheus",
          "prometheus_replica", "replica"}
ACCOUNT = {"cluster", "environment", "namespace", "job", "account"}
LEVELS = {
    "account": ACCOUNT,
    "account_outcome": ACCOUNT | {"outcome"},
    "account_label_value": ACCOUNT | {"label", "value"},
    "account_label_value_outcome": ACCOUNT | {"label", "value", "outcome"},
    "account_provider": ACCOUNT | {"provider"},
    "account_provider_outcome": ACCOUNT | {"provider", "outcome"},
    "account_provider_le": ACCOUNT | {"provider", "le"},
    "operation": ACCOUNT | {"operation_id"},
}
# What Prometheus itself or a client library adds.
BUILT_IN = {"up": "gauge", "process_start_time_seconds": "gauge"}
RATES = {"rate", "irate", "increase", "resets"}
LEAST_RANGE = timedelta(minutes=15)
RETENTION = timedelta(days=15)
# Mimir's defaults, `ruler.max-rules-per-rule-group` and `ruler.max-rule-groups-per-tenant`; more is refused with a 400.
MOST_RULES, MOST_GROUPS = 20, 70
GROUP_KEYS = {"name", "interval", "rules"}
RULE_KEYS = {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}
# A `$labels.x` in a template, and a `$of` is filled with these before it.
TEMPLATE_LABEL = re.compile(r"\$labels\.(\w+)")


def metrics(page):
    """Name -> (type, labels) of every series in docs/metrics.md."""
    found = {name: (kind, frozenset()) for name, kind in BUILT_IN.items()}
    for part in re.split(r"^### ", page, flags=re.M)[1:]:
        name = re.match(r"`(\w+)`", part)
        kind = re.search(r"^- Type: (.+)$", part, re.M)
        if not name or not kind:
            continue
        labels = re.search(r"^- Labels: (.+)$", part, re.M)
        labels = frozenset(re.findall(r"`(\w+)`", labels[1])) if labels else frozenset()
        kind = kind[1].split()[0]
        if kind.startswith("histogram"):
            found |= {f"{name[1]}_bucket": ("counter", labels | {"le"}), f"{name[1]}_sum": ("counter", labels), f"{name[1]}_count": ("counter", labels)}
        else:
            found[name[1]] = (kind, labels)
    return found


class Linter:
    def __init__(self, page):
        self.metrics = metrics(page)
        assert len(self.metrics) > 60, f"only {len(self.metrics)} metrics in docs/metrics.md"
        self.recorded = {}  # name -> expression
        self.place, self.found = "", []

    def say(self, problem):
        self.found.append(f"{self.place}: {problem}")

    def of_series(self, name):
        """The labels that a series may have, apart from its name."""
        if name in self.recorded:
            return set(LEVELS.get(name.split(":")[0], set()))
        if name not in self.metrics:
            self.say(f"there is no {name}")
            return set()
        return set(self.metrics[name][1]) | TARGET

    def look_back(self, span, offset):
        total = span + (offset or timedelta())
        if total > RETENTION:
            self.say(f"looks back {total}")
        return total

    def labels(self, node):
        """The labels that the result may have. Says what is wrong on the way."""
        kind = type(node).__name__
        if kind in ("NumberLiteral", "StringLiteral"):
            return None
        if kind in ("ParenExpr", "UnaryExpr"):
            return self.labels(node.expr)
        if kind == "VectorSelector":
            self.look_back(timedelta(), node.offset)
            labels = self.of_series(node.name)
            for matcher in node.matchers.matchers:
                if matcher.name not in labels:
                    self.say(f"{node.name} has no label {matcher.name}")
                if matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe) and re.fullmatch(r"[\w ]*", matcher.value):
                    self.say(f"{matcher.name}: {matcher.value} is no regular expression")
            return labels
        if kind == "MatrixSelector":
            self.look_back(node.range, node.vector_selector.offset)
            return self.labels(node.vector_selector)
        if kind == "SubqueryExpr":
            self.look_back(node.range, node.offset)
            return self.labels(node.expr)
        if kind == "Call":
            return self.of_call(node)
        if kind == "AggregateExpr":
            inside = self.labels(node.expr)
            named = set(node.modifier.labels) if node.modifier else set()
            by = not node.modifier or node.modifier.type == promql.AggModifierType.By
            if named - inside:
                self.say(f"aggregates by {sorted(named - inside)}, which no series has")
            if str(node).startswith(("topk", "bottomk")):
                self.say("an alert on a topk comes and goes")
            return named if by else inside - named
        assert kind == "BinaryExpr", kind
        return self.of_pair(node)

    def of_call(self, node):
        name = node.func.name
        inside = [self.labels(part) for part in node.args]
        if name in RATES:
            series = node.args[0]
            if type(series).__name__ != "MatrixSelector":
                self.say(f"{name} of a subquery")
            else:
                metric = series.vector_selector.name
                if self.metrics.get(metric, ("",))[0] != "counter":
                    self.say(f"{name} of {metric}, which is no counter")
                if series.range < LEAST_RANGE:
                    self.say(f"{name} over {series.range}")
        if name == "histogram_quantile":
            if "le" not in inside[1]:
                self.say("histogram_quantile without le")
            return inside[1] - {"le"}
        if name in ("time", "vector"):
            return set() if name == "vector" else None
        if name == "absent":
            return set()
        return next((labels for labels in inside if labels is not None), None)

    def of_pair(self, node):
        left, right = self.labels(node.lhs), self.labels(node.rhs)
        if left is None or right is None:
            return right if left is None else left
        operator = self.operator(node)
        modifier = node.modifier
        matching = modifier.matching if modifier else None
        is_on = matching is not None and matching.type == promql.LabelModifierType.Include
        named = set(matching.labels) if matching else set()
        if is_on:
            for side, labels in (("left", left), ("right", right)):
                if named - labels:
                    self.say(f"joins on {sorted(named - labels)}, which the {side} side does not have")
        elif operator != "or":
            one, other = left - named, right - named
            # Where one side is a target's own series, labels of targets differ by design.
            if one != other and (one - TARGET != other - TARGET or one & ACCOUNT != other & ACCOUNT):
                self.say(f"{operator} between series by {sorted(one)} and by {sorted(other)}")
        if operator == "or":
            return left | right
        card = str(modifier.card) if modifier else ""
        if operator in ("and", "unless"):
            return left
        extra = set(modifier.group_labels or []) if modifier else set()
        if "ManyToOne" in card:
            if extra - right:
                self.say(f"takes {sorted(extra - right)} from a side that does not have them")
            return left | extra
        if "OneToMany" in card:
            return right | extra
        if operator in COMPARISONS and not is_on:
            return left - named
        return left & named if is_on else left - named

    @staticmethod
    def operator(node):
        """The operator's text, which the parser keeps as a number: what is between the two sides."""
        text = str(node)
        rest = text[len(str(node.lhs)):].lstrip()
        return rest.split(" ", 1)[0]

    def has_condition(self, node, depth=0):
        kind = type(node).__name__
        if kind == "ParenExpr" or kind == "AggregateExpr":
            return self.has_condition(node.expr, depth)
        if kind == "VectorSelector":
            expr = self.recorded.get(node.name)
            return expr is not None and depth < 5 and self.has_condition(expr, depth + 1)
        if kind == "Call":
            return node.func.name == "absent" or any(self.has_condition(part, depth) for part in node.args)
        if kind == "MatrixSelector":
            return self.has_condition(node.vector_selector, depth)
        if kind != "BinaryExpr":
            return False
        operator = self.operator(node)
        sides = [self.has_condition(side, depth) for side in (node.lhs, node.rhs)]
        if operator in COMPARISONS:
            return not (node.modifier and node.modifier.return_bool) or any(sides)
        return all(sides) if operator == "or" else operator == "unless" or any(sides)

    def read_by(self, node):
        """The recorded series that an expression reads now; one of the past is recorded by then."""
        kind = type(node).__name__
        if kind == "VectorSelector":
            return {node.name} if node.name in self.recorded and not node.offset else set()
        if kind in ("MatrixSelector", "SubqueryExpr"):
            return set()
        parts = [getattr(node, part) for part in ("lhs", "rhs", "expr") if hasattr(node, part)] + list(getattr(node, "args", []))
        return set().union(*[self.read_by(part) for part in parts]) if parts else set()

    def rule(self, rule, later):
        tree = promql.parse(rule["expr"])
        labels = self.labels(tree) or set()
        for name in self.read_by(tree) & later:
            self.say(f"reads {name}, which is recorded after it in its group")
        if "record" in rule:
            level = rule["record"].split(":")[0]
            if len(rule["record"].split(":")) != 3 or level not in LEVELS:
                self.say("is not called level:metric:operation")
            elif labels != LEVELS[level]:
                self.say(f"has the labels {sorted(labels)}, its level {sorted(LEVELS[level])}")
            return
        if not self.has_condition(tree):
            self.say("has no condition")
        texts = [*rule["annotations"].values(), *rule["labels"].values()]
        for label in {label for text in texts for label in TEMPLATE_LABEL.findall(text)}:
            if label not in labels:
                self.say(f"its texts use the label {label}, which its result does not have")


def problems(groups, page):
    """What is wrong with these groups of rules."""
    linter = Linter(page)
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 50, f"only {len(rules)} rules"
    linter.recorded = {rule["record"]: promql.parse(rule["expr"]) for rule in rules if "record" in rule}
    seen = set()
    if len(groups) > MOST_GROUPS:
        linter.say(f"{len(groups)} groups are more than Mimir accepts")
    for group in groups:
        linter.place = group["name"]
        if len(group["rules"]) > MOST_RULES:
            linter.say(f"{len(group['rules'])} rules are more than Mimir accepts in a group")
        if set(group) - GROUP_KEYS or any(set(rule) - RULE_KEYS for rule in group["rules"]):
            linter.say("has keys that Mimir does not support")
        for at, rule in enumerate(group["rules"]):
            linter.place = f"{group['name']}: {rule.get('record') or rule['alert']}"
            known = rule.get("record") or (rule["alert"], tuple(sorted(rule["labels"].items())), rule["expr"])
            if known in seen:
                linter.say("is there twice")
            seen.add(known)
            linter.rule(rule, {one["record"] for one in group["rules"][at:] if "record" in one})
    return linter.found


# Wrong rules, each with the expected message.
WRONG = [
    ({"record": "account:a:b", "expr": "twilio_email_upp"}, "there is no twilio_email_upp"),
    ({"record": "account:a:b", "expr": 'max by (cluster, environment, namespace, job, account) (twilio_email_up{outcome="x"})'}, "has no label outcome"),
    ({"record": "account:a:b", "expr": 'max by (cluster, environment, namespace, job, account) (twilio_email_up{account=~"shop"})'},
     "is no regular expression"),
    ({"record": "account:a:b", "expr": "max by (cluster, environment, namespace, job, account) (rate(twilio_email_up[1h]))"}, "is no counter"),
    ({"record": "account:a:b", "expr": "max by (cluster, environment, namespace, job, account) (rate(twilio_email_emails_accepted_total[5m]))"},
     "rate over 0:05:00"),
    ({"record": "account:a:b", "expr": "max by (account) (twilio_email_up)"}, "has the labels ['account']"),
    ({"record": "account:a:b", "expr": "max by (cluster, environment, namespace, job, account) (twilio_email_up offset 16d)"}, "looks back 16 days"),
    ({"record": "a:b", "expr": "max by (cluster, environment, namespace, job, account) (twilio_email_up)"}, "is not called level:metric:operation"),
    ({"record": "account:a:b", "expr": "max by (cluster, environment, namespace, job, account, value) (twilio_email_up)"}, "aggregates by ['value']"),
    ({"record": "account:a:b", "expr": "histogram_quantile(0.9, max by (cluster, environment, namespace, job, account)"
                                       " (rate(twilio_email_delivery_duration_seconds_bucket[1h])))"}, "without le"),
    ({"record": "account:twilio_email_objective:ratio", "expr": "max by (cluster, environment, namespace, job, account) (twilio_email_up)"}, "is there twice"),
    ({"alert": "A", "expr": "max by (account) (twilio_email_up)"}, "has no condition"),
    ({"alert": "A", "expr": "max by (account) (twilio_email_up > bool 0)"}, "has no condition"),
    ({"alert": "A", "expr": "account:twilio_email_objective:ratio or account:twilio_email_budget_burn:fast"}, "has no condition"),
    ({"alert": "A", "expr": "topk(1, twilio_email_up) == 0"}, "comes and goes"),
    ({"alert": "A", "expr": "max by (account) (twilio_email_up) == 0", "annotations": {"summary": "{{ $labels.job }}"}}, "use the label job"),
    ({"alert": "A", "expr": "twilio_email_up == 0 and on (outcome) twilio_email_discovery_up"}, "joins on ['outcome']"),
    ({"alert": "A", "expr": "max by (account) (twilio_email_up) > max by (job) (twilio_email_discovery_up)"}, "> between series"),
    ({"alert": "A", "expr": "twilio_email_up == on (account) group_left (reading) twilio_email_discovery_up"}, "takes ['reading']"),
    ({"alert": "A", "expr": "twilio_email_up == 0", "query_offset": "1m"}, "keys that Mimir does not support"),
]


def blind_spots(groups, page):
    """The wrong rules that `problems` does not find."""
    missed = []
    for rule, wanted in WRONG:
        rule = {"labels": {}, "annotations": {}, **rule} if "alert" in rule else rule
        found = problems([*groups, {"name": "wrong", "rules": [rule]}], page)
        if not any(wanted in problem for problem in found):
            missed.append(f"{rule['expr']}: {wanted}, but {found}")
    crowd = [{"alert": f"A{number}", "expr": "twilio_email_up == 0", "labels": {}, "annotations": {}} for number in range(MOST_RULES + 1)]
    late = [{"record": "account:a:c", "expr": "account:a:b"},
            {"record": "account:a:b", "expr": "max by (cluster, environment, namespace, job, account) (twilio_email_up)"}]
    for rules, wanted in ((crowd, "more than Mimir accepts"), (late, "recorded after it")):
        if not any(wanted in problem for problem in problems([*groups, {"name": "wrong", "rules": rules}], page)):
            missed.append(wanted)
    return missed

// What rules and alerts have in common: labels, levels, and the texts around an alert.
function(config) {
  local terms = self,

  // The labels of an exporter's job, of an account, of a user label's value within it, and of an operation.
  job: std.join(', ', [label for label in config.accountLabels if label != 'account']),
  account: std.join(', ', config.accountLabels),
  label: self.account + ', label, value',
  operation: self.account + ', operation_id',
  provider: self.account + ', provider',
  jobLabels: [label for label in config.accountLabels if label != 'account'],
  labelLabels: config.accountLabels + ['label', 'value'],
  operationLabels: config.accountLabels + ['operation_id'],
  providerLabels: config.accountLabels + ['provider'],

  // The two levels at which ratios are recorded.
  levels: {
    account: {
      name: 'account',
      by: terms.account,
      accepted: 'twilio_email_emails_accepted_total',
      outcomes: 'twilio_email_email_outcomes_total',
    },
    label: {
      name: 'account_label_value',
      by: terms.label,
      accepted: 'twilio_email_emails_accepted_by_label_total',
      outcomes: 'twilio_email_email_outcomes_by_label_total',
    },
  },

  // PromQL that is read by people: one line for each part.
  lines(parts):: std.join('\n', parts),
  indented(text):: '  ' + std.strReplace(text, '\n', '\n  '),

  seconds(span)::
    local units = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
    std.parseInt(std.substr(span, 0, std.length(span) - 1)) * units[std.substr(span, std.length(span) - 1, 1)],

  // The value of a gauge at any scrape interval up to 5 minutes, also after a scrape that failed.
  now(metric):: 'last_over_time(%s[%s])' % [metric, config.freshness],
  // The highest value of an account's exporters, which is the best or the newest.
  best(what):: 'max by (%s) (%s)' % [terms.account, what],

  // The growth of a counter within the window, of the exporter with the highest: the last value minus the one before the window, which is
  // exact at any scrape interval. Growth in a gap without scrapes counts after the gap, if the gap is not longer than `before`.
  // After a reset, `increase` counts. If a store is restored from a backup, a counter falls, but not to 0: then only its growth since
  // the fall counts. `first` are clauses for a counter that is new.
  grew(metric, by, window, before='1d', first=[]):: self.lines([
    'max by (%s) (' % by,
    '  last_over_time(%s[%s]) - last_over_time(%s[%s] offset %s) >= 0' % [metric, window, metric, before, window],
    '    unless resets(%s[%s]) > 0' % [metric, window],
    '  or',
    '  last_over_time(%s[%s]) - min_over_time(%s[%s])' % [metric, window, metric, window],
    '    and resets(%s[%s]) > 0' % [metric, window],
    '    and min_over_time(%s[%s]) > max_over_time(%s[%s]) / 2' % [metric, window, metric, window],
  ] + first + [
    '  or',
    '  increase(%s[%s])' % [metric, window],
    ')',
  ]),

  // A bound of the share that is lost (E. B. Wilson's), for windows of few emails: the lower one, or the upper one with sign='+'.
  bound(failure, handled, z, sign='-')::
    self.lines([
      '(',
      '  %s + %s / %s' % [failure, z * z / 2, handled],
      '  %s %s * sqrt(%s * (1 - %s) / %s + %s / %s ^ 2)' % [sign, z, failure, failure, handled, z * z / 4, handled],
      ')',
      '/',
      '(1 + %s / %s)' % [z * z, handled],
    ]),
  lowerBound(failure, handled):: self.bound(failure, handled, config.certainty),

  // The account was watched already at that time.
  watchedSince(window, before)::
    'and on (%s) group by (%s) (last_over_time(twilio_email_up[%s] offset %s))' % [self.account, self.account, window, before],

  // Begins a text: sets `$of` to the matchers of the alert's own `labels`.
  of(labels):: '{{ $of := printf `%s` %s -}}' % [
    std.join(',', [label + '=%q' for label in labels]),
    std.join(' ', ['$labels.' + label for label in labels]),
  ],

  // How a number, a share and a span are written. Twelve thousand is 12,000; a share has one decimal; a span of minutes no seconds.
  number: 'printf "%.0f" | reReplaceAll `(\\d)(\\d{3})$` `$1,$2` | reReplaceAll `(\\d)(\\d{3}),` `$1,$2,`',
  percent: 'humanizePercentage | reReplaceAll `(\\.\\d)\\d+%` `$1%`',
  span: 'humanizeDuration | reReplaceAll `m( \\d+s)?$` ` min`',

  // The result of a query in one of these formats; a question mark if there is none. `$of` replaces each %s in it.
  asked(query, how)::
    local times = std.length(std.findSubstr('%s', query));
    '{{ with printf `%s`%s | query }}{{ . | first | value | %s }}{{ else }}?{{ end }}' % [query, std.repeat(' $of', times), how],

  // A further value in an alert: of several exporters, the highest. `more` are further matchers, `after` follows the selector.
  valueOf(metric, more='', after='', how=self.number)::
    self.asked('max(%s{%%s%s}%s)' % [metric, more, after], how),

  // The text `yes` if a query has a result, else `no`.
  either(query, yes, no)::
    local times = std.length(std.findSubstr('%s', query));
    '{{ if printf `%s`%s | query }}%s{{ else }}%s{{ end }}' % [query, std.repeat(' $of', times), yes, no],

  // The name that people know an operation by: its label `name`, else its campaign, else when it begins.
  operationName::
    self.of(self.operationLabels)
    + '{{ $name := "" }}{{ with printf `twilio_email_operation_info{%s}` $of | query }}'
    + '{{ $name = or (first .).Labels.name (first .).Labels.' + config.routeBy + ' "" }}{{ end }}'
    + '{{ if $name }}{{ $name }}{{ else }}Send of {{ with printf `max(twilio_email_operation_scheduled_timestamp_seconds{%s}) or max(twilio_email_operation_created_timestamp_seconds{%s})` $of $of | query }}'
    + '{{ . | first | value | humanizeTimestamp | printf "%.16s" }} UTC{{ else }}unknown time{{ end }}{{ end }} ({{ $labels.account }})',

  // Ends a description with all labels that users gave to the operation, if there are any.
  userLabels::
    local others = std.join('|', ['__name__', 'operation_id'] + std.set(config.accountLabels)) + '|' + config.targetLabels;
    ' {{- with printf `twilio_email_operation_info{%s}` $of | query }} Its labels: {{- range $name, $value := (first .).Labels }}'
    + ' {{- if not (match `^(%s)$` $name) }} {{ $name }}="{{ $value }}" {{- end }} {{- end }}. {{- end }}' % others,

  // The user label by which an operation's alerts are routed. Never empty: Prometheus would show the template in `ALERTS`.
  route::
    self.of(self.operationLabels)
    + ' {{ with printf `twilio_email_operation_info{%%s}` $of | query }}{{ or (first .).Labels.%s "none" }}{{ else }}none{{ end }}' % config.routeBy,

  // An alert. `name` is also that of its runbook; `dashboard` is a uid and what follows it; `begin` precedes the link to it.
  alert(name, severity, span, expr, dashboard, summary, description, keep=null, labels={}, note=null, begin=''):: {
    alert: name,
    expr: expr,
    'for': span,
    [if keep != null then 'keep_firing_for']: keep,
    labels: config.alertLabels { severity: severity } + labels,
    annotations: {
      summary: summary,
      description: description,
      runbook_url: '%s/%s.md' % [config.runbooks, name],
      dashboard_url: begin + '%s/d/%s' % [config.grafana, dashboard],
    },
    note:: note,
  },

  // The dashboards, and what they are to show.
  local variable(name) = 'var-%s={{ $labels.%s | urlquery }}' % [name, name],
  local variables(names) = std.join('&', [variable(name) for name in names if name != 'job' || std.member(config.accountLabels, 'job')]),
  overview: 'twilio-email-overview?' + variables(['job', 'account']),
  ofLabel: 'twilio-email-overview?' + variables(['job', 'account', 'label', 'value']),
  ofProvider: 'twilio-email-deliverability?' + variables(['job', 'account', 'provider']),
  deliverability: 'twilio-email-deliverability?' + variables(['job', 'account']),
  // From the operation's creation to now; the dashboard's default range if that time is not known.
  ofOperation: 'twilio-email-operation?' + variables(['job', 'account', 'operation_id'])
               + '{{ with printf `1000 * max(twilio_email_operation_created_timestamp_seconds{%s})` $of | query }}'
               + '&from={{ . | first | value | printf "%.0f" }}&to=now{{ end }}',
  exporter: 'twilio-email-exporter?' + variables(['job', 'account']),
  exporters: 'twilio-email-exporter?' + variables(['job']),
}

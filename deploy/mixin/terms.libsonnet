// What rules and alerts have in common: labels, levels, and the texts around an alert.
function(config) {
  local terms = self,

  // The labels of an account, of a user label's value within it, and of an operation.
  account: std.join(', ', config.accountLabels),
  label: self.account + ', label, value',
  operation: self.account + ', operation_id',
  labelLabels: config.accountLabels + ['label', 'value'],
  operationLabels: config.accountLabels + ['operation_id'],

  // The two levels at which ratios are kept.
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

  seconds(span)::
    local units = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
    std.parseInt(std.substr(span, 0, std.length(span) - 1)) * units[std.substr(span, std.length(span) - 1, 1)],

  // Begins a description: `$of` selects what has the alert's own `labels`.
  of(labels):: '{{ $of := printf `%s` %s -}}' % [
    std.join(',', [label + '=%q' for label in labels]),
    std.join(' ', ['$labels.' + label for label in labels]),
  ],

  // A figure beside the alert's own; it must be there whenever the alert is. `more` selects further, `after` follows in PromQL.
  figure(metric, more='', after='')::
    '{{ printf `%s{%%s%s}%s` $of | query | first | value | printf "%%.0f" }}' % [metric, more, after],

  // Ends a description with all labels that users gave to the operation; with nothing where there are none.
  userLabels::
    local others = std.join('|', ['__name__', 'operation_id'] + std.setUnion(config.targetLabels, std.set(config.accountLabels)));
    ' {{- with printf `twilio_email_operation_info{%s}` $of | query }} Its labels: {{- range $name, $value := (first .).Labels }}'
    + ' {{- if not (match `^(%s)$` $name) }} {{ $name }}="{{ $value }}" {{- end }} {{- end }}. {{- end }}' % others,

  // The user label by which an operation's alerts are routed; empty, and so no label, where the operation has none.
  route::
    self.of(self.operationLabels)
    + ' {{ with printf `twilio_email_operation_info{%%s}` $of | query }}{{ (first .).Labels.%s }}{{ end }}' % config.routeBy,

  // An alert. `name` is also that of its runbook; `dashboard` is a uid and what follows it.
  alert(name, severity, span, expr, dashboard, summary, description, keep=null, labels={}, note=null):: {
    alert: name,
    expr: expr,
    'for': span,
    [if keep != null then 'keep_firing_for']: keep,
    labels: config.alertLabels { severity: severity } + labels,
    annotations: {
      summary: summary,
      description: description,
      runbook_url: '%s/%s.md' % [config.runbooks, name],
      dashboard_url: '%s/d/%s' % [config.grafana, dashboard],
    },
    note:: note,
  },

  // The dashboards, and what they are to show.
  local variable(name, label) = 'var-%s={{ $labels.%s | urlquery }}' % [name, label],
  overview: 'twilio-email-overview?' + variable('account', 'account'),
  ofLabel: std.join('&', [self.overview, variable('label', 'label'), variable('value', 'value')]),
  ofOperation: 'twilio-email-operation?%s&%s' % [variable('account', 'account'), variable('operation_id', 'operation_id')],
  exporter: 'twilio-email-exporter?' + variable('account', 'account'),
}

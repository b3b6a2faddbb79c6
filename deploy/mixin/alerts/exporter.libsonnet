// Alerts on whether what is seen can be believed: the exporter, and its way to Twilio.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  // With several exporters of an account, the one that does best counts.
  local best(what) = 'max by (%s) (%s)' % [terms.account, what],
  local refusals(reason, window) =
    'sum by (%s) (increase(twilio_email_api_request_failures_total{reason="%s"}[%s])) > 0' % [terms.account, reason, window],
  local refused = terms.lines([
    refusals('unauthorized', '15m'),
    // A list that is forbidden is asked for again after an hour at the latest.
    'or ' + refusals('forbidden', '2h'),
  ]),
  local indented(text) = '  ' + std.strReplace(text, '\n', '\n  '),
  local isDown = best('twilio_email_up') + ' == 0',
  local butNotDown = 'unless ' + isDown,
  local who = terms.of(config.accountLabels) + ' Account {{ $labels.account }}',
  // Says why, where requests have failed within the window.
  local why(window) =
    ' {{- with printf `topk(1, sum by (reason) (increase(twilio_email_api_request_failures_total{%%s}[%s])) > 0)` $of | query }}' % window
    + ' The most frequent reason: {{ (first .).Labels.reason }}.{{ end }}',
  local alert(name, severity, span, expr, summary, description, keep=null, note=null) =
    terms.alert(name, severity, span, expr, terms.exporter, summary, description, keep=keep, note=note),

  local absent = alert(
    'TwilioEmailExporterAbsent',
    'critical',
    '5m',
    terms.lines([
      'group by (%s) (last_over_time(twilio_email_up[1d]))' % terms.account,
      '  unless group by (%s) (twilio_email_up)' % terms.account,
      'or (',
      '  absent(twilio_email_exporter_build_info)',
      '  unless on () group(last_over_time(twilio_email_up[1d]))',
      ')',
    ]),
    'Nothing watches {{ with $labels.account }}account {{ . }}{{ else }}any account{{ end }}',
    ('{{ with $labels.account }}Account {{ . }} was watched within the last day, but Prometheus has no figures of it now{{ else }}'
     + 'Prometheus has no figures of any twilio-email-exporter, and had none within the last day{{ end }}. '
     + 'The exporter is down, or is not scraped.'),
    note='By account, so that no job has to be named here, and one of two exporters of an account may be down.',
  ),

  local credentials = alert(
    'TwilioEmailCredentialsRefused',
    'critical',
    '5m',
    terms.lines([isDown, 'and (', indented(refused), ')']),
    'Twilio refuses the credentials of account {{ $labels.account }}',
    who + ' is not let in: Twilio refuses its credentials, or they may not read Email. Its figures stand still and its other alerts are blind.'
    + why('1h'),
    keep='5m',
  ),

  local down = alert(
    'TwilioEmailAccountDown',
    'critical',
    '10m',
    terms.lines([isDown, 'unless (', indented(refused), ')']),
    'Twilio cannot be read for account {{ $labels.account }}',
    who + ' has not been read for 10 minutes. Its figures stand still and its other alerts are blind.' + why('15m'),
    keep='5m',
    note='Refused credentials have an alert of their own, since somebody can do something about them.',
  ),

  local discovery = alert(
    'TwilioEmailDiscoveryRefused',
    'warning',
    '30m',
    terms.lines([best('twilio_email_discovery_up') + ' == 0', butNotDown]),
    'New operations of account {{ $labels.account }} are not found',
    who + ' is let in, but its list of operations cannot be read. Only operations that are known or configured are watched.'
    + why('2h'),
    keep='10m',
  ),

  local throttled = alert(
    'TwilioEmailThrottled',
    'warning',
    '15m',
    'avg_over_time((%s > bool 0)[30m:1m]) > 0.5' % best('twilio_email_api_paused_until_timestamp_seconds'),
    'Twilio has the exporter pause most of the time for account {{ $labels.account }}',
    who + ' was in a pause that Twilio asked for during {{ $value | humanizePercentage }} of the last 30 minutes. Its figures are late.',
    keep='10m',
  ),

  local old = alert(
    'TwilioEmailFiguresOld',
    'warning',
    '5m',
    terms.lines(['time() - %s > 1800' % best('twilio_email_collection_last_success_timestamp_seconds'), butNotDown]),
    'The figures of account {{ $labels.account }} are {{ $value | humanizeDuration }} old',
    who + ' is let in, but its last complete collection was {{ $value | humanizeDuration }} ago. Some or all of its figures are older than that.'
    + why('1h'),
    keep='5m',
  ),

  local incomplete = alert(
    'TwilioEmailCollectionIncomplete',
    'warning',
    '30m',
    terms.lines([best('avg_over_time(twilio_email_collection_complete[1h])') + ' < 0.5', butNotDown]),
    'Most collections of account {{ $labels.account }} remain incomplete',
    who + ': only {{ $value | humanizePercentage }} of the scrapes of the last hour had a complete collection. The rest showed some older figures.'
    + why('1h'),
    keep='10m',
  ),

  local notSaved = alert(
    'TwilioEmailStateNotSaved',
    'warning',
    '5m',
    'increase(twilio_email_exporter_state_save_failures_total[15m]) > 0',
    'The exporter {{ $labels.instance }} cannot save its counters',
    '{{ $value | printf "%.0f" }} attempts of the exporter {{ $labels.instance }} to save its counters failed within 15 minutes. Until one works, its counters stand still and alerts on ratios are blind.',
    keep='10m',
  ) + { annotations+: { dashboard_url: '%s/d/twilio-email-exporter' % config.grafana } },

  // Not where saves fail: that is the alert above.
  local hangs = alert(
    'TwilioEmailSaveHanging',
    'warning',
    '5m',
    terms.lines([
      'twilio_email_exporter_state_unsaved_seconds > 60',
      'unless increase(twilio_email_exporter_state_save_failures_total[15m]) > 0',
    ]),
    'The exporter {{ $labels.instance }} waits for its disk',
    'The oldest unsaved change of the exporter {{ $labels.instance }} is {{ $value | humanizeDuration }} old, and no save has failed: the disk hangs. Counters stand still and alerts on ratios are blind until it answers.',
    keep='10m',
  ) + { annotations+: { dashboard_url: '%s/d/twilio-email-exporter' % config.grafana } },

  local hidden = alert(
    'TwilioEmailSeriesHidden',
    'info',
    '1h',
    best('twilio_email_operations_without_series') + ' > 0',
    'Some operations of account {{ $labels.account }} have no series of their own',
    '{{ $value | printf "%.0f" }} operations of account {{ $labels.account }} are hidden by the limit of series or by their size. Sums and counters contain them; no alert on one operation does.',
    keep='10m',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-exporter',
      rules: [absent, credentials, down, discovery, throttled, old, incomplete, notSaved, hangs, hidden],
    }],
  },
}

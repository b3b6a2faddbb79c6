// Alerts on whether the data can be trusted: the exporter, and its connection to Twilio. watching.libsonnet has those on whether
// anything is watched at all.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  // With several exporters of an account, the one that does best counts.
  local best = terms.best,
  local now = terms.now,
  local failures(selected, window) =
    'sum by (%s) (increase(twilio_email_api_request_failures_total{%s}[%s])) > 0' % [terms.account, selected, window],
  local refused = terms.lines([
    failures('reason="unauthorized"', '15m'),
    // The exporter requests a forbidden list again after an hour at the latest.
    'or ' + failures('reason="forbidden"', '2h'),
  ]),
  local indented = terms.indented,
  local isDown = best(now('twilio_email_up')) + ' == 0',
  local butNotDown = 'unless ' + isDown,
  local who = terms.of(config.accountLabels) + ' Account {{ $labels.account }}',
  // The most frequent reason, if requests failed within the window.
  local why(window) =
    ' {{- with printf `topk(1, sum by (reason) (increase(twilio_email_api_request_failures_total{%%s}[%s])) > 0)` $of | query }}' % window
    + ' The most frequent reason: {{ (first .).Labels.reason }}.{{ end }}',
  local alert(name, severity, span, expr, summary, description, keep=null, note=null) =
    terms.alert(name, severity, span, expr, terms.exporter, summary, description, keep=keep, note=note),
  local ofInstance(name, severity, span, expr, summary, description, keep=null, note=null) =
    terms.alert(name, severity, span, expr, terms.exporters, summary, description, keep=keep, note=note),
  local instance = terms.job + ', instance',
  local perInstance(what) = 'max by (%s) (%s)' % [instance, what],

  local credentials = alert(
    'TwilioEmailCredentialsRefused',
    'critical',
    '5m',
    terms.lines([isDown, 'and (', indented(refused), ')']),
    'Account {{ $labels.account }}: Twilio rejects the credentials, nothing is read',
    who + ' is not authenticated: Twilio rejects its credentials, or they lack the right to read Email. Its data does not change, so its other alerts are unreliable.'
    + why('1h'),
    keep='5m',
  ),

  local credentialsFailing = alert(
    'TwilioEmailCredentialsFailing',
    'warning',
    '15m',
    terms.lines([
      '(',
      '  ' + failures('reason=~"unauthorized|forbidden", endpoint!="operations"', '30m'),
      '  or ' + failures('endpoint="token"', '30m'),
      ')',
      butNotDown,
      'unless %s == 0' % best(now('twilio_email_discovery_up')),
    ]),
    'Account {{ $labels.account }}: some requests are rejected, or no new token is issued',
    who + ' can still be read, but within 30 minutes Twilio rejected {{ $value | printf "%.0f" }} requests with its credentials, or issued no new'
    + ' access token. When Twilio rejects the others, too, or the current token expires, the account cannot be read.' + why('30m'),
    keep='10m',
    note='For example, a token cannot be renewed, one of two exporters has an old secret, or a key lost a right.',
  ),

  local down = alert(
    'TwilioEmailAccountDown',
    'critical',
    '10m',
    terms.lines([isDown, 'unless (', indented(refused), ')']),
    'Account {{ $labels.account }}: Twilio cannot be read, though the exporter runs',
    who + ' has not been read for 10 minutes. Its data does not change, so its other alerts are unreliable.' + why('15m'),
    keep='5m',
    note='Not for rejected credentials, which have an alert of their own.',
  ),

  local discovery = alert(
    'TwilioEmailDiscoveryRefused',
    'warning',
    '30m',
    terms.lines([best(now('twilio_email_discovery_up')) + ' == 0', butNotDown]),
    'Account {{ $labels.account }}: new operations are not found',
    who + ' is authenticated, but its list of operations cannot be read. Only known and configured operations are watched.'
    + why('2h'),
    keep='10m',
  ),

  local source = alert(
    'TwilioEmailSourceDown',
    'warning',
    '15m',
    'max by (%s, source) (%s) == 0' % [terms.account, now('twilio_email_source_up')],
    'Account {{ $labels.account }}: the source {{ $labels.source }} cannot be read',
    terms.of(config.accountLabels + ['source'])
    + ' The file or URL {{ $labels.source }} that lists operations of account {{ $labels.account }} cannot be read, or has an error. The'
    + ' operations of its last successful read stay; new ones are not watched. It was last read %s ago.'
      % terms.asked('time() - max(twilio_email_source_last_success_timestamp_seconds{%s})', terms.span),
    keep='10m',
  ),

  local throttled = alert(
    'TwilioEmailThrottled',
    'warning',
    '15m',
    'avg_over_time((%s > bool 0)[30m:1m]) > 0.5' % best('twilio_email_api_paused_until_timestamp_seconds'),
    'Account {{ $labels.account }}: Twilio rate-limits the exporter {{ $value | %s }} of the time' % terms.percent,
    who + ' was paused for {{ $value | humanizePercentage }} of the last 30 minutes, because Twilio requested it. Its data gets old.',
    keep='10m',
  ),

  local old = alert(
    'TwilioEmailFiguresOld',
    'warning',
    '5m',
    terms.lines(['time() - %s > 1800' % best(now('twilio_email_collection_last_success_timestamp_seconds')), butNotDown]),
    'Account {{ $labels.account }}: data is {{ $value | humanizeDuration }} old',
    who + ' is authenticated, but its last complete collection was {{ $value | humanizeDuration }} ago. Some or all of its data is older than that.'
    + why('1h'),
    keep='5m',
  ),

  local incomplete = alert(
    'TwilioEmailCollectionIncomplete',
    'warning',
    '30m',
    terms.lines([best('avg_over_time(twilio_email_collection_complete[1h])') + ' < 0.5', butNotDown]),
    'Account {{ $labels.account }}: only {{ $value | %s }} of collections are complete' % terms.percent,
    who + ': only {{ $value | humanizePercentage }} of the scrapes of the last hour had a complete collection. The other scrapes returned some older data.'
    + why('1h'),
    keep='10m',
  ),

  local skew = ofInstance(
    'TwilioEmailClockSkew',
    'warning',
    '10m',
    '%s > %d' % [perInstance('abs(%s)' % now('twilio_email_api_clock_skew_seconds')), config.clockSkew],
    'Exporter {{ $labels.instance }}: its clock is {{ $value | humanizeDuration }} off',
    'The clock of the machine of the exporter {{ $labels.instance }} and that of Twilio are {{ $value | humanizeDuration }} apart. Ages are wrong by'
    + ' as much. Beyond an hour, operations expire at the wrong time, and collections count as incomplete.',
    keep='10m',
  ),

  local reload = ofInstance(
    'TwilioEmailReloadFailed',
    'warning',
    '5m',
    terms.lines([
      perInstance(now('twilio_email_exporter_config_last_reload_successful')) + ' == 0',
      'or ' + perInstance(now('twilio_email_exporter_web_config_last_reload_successful')) + ' == 0',
    ]),
    'Exporter {{ $labels.instance }}: a changed configuration is not active',
    'The exporter {{ $labels.instance }} could not load its configuration, or its web configuration, when it changed. The last valid one stays active,'
    + ' and a restart would fail. The log has the place and the cause.',
    keep='10m',
  ),

  local restarting = ofInstance(
    'TwilioEmailExporterRestarting',
    'warning',
    '5m',
    terms.lines([
      '%s >= %d' % [perInstance('changes(process_start_time_seconds[1h])'), config.restarts],
      'and on (%s) group by (%s) (last_over_time(twilio_email_exporter_build_info[1h]))' % [instance, instance],
    ]),
    'Exporter {{ $labels.instance }}: {{ $value | printf "%.0f" }} restarts within 1h',
    'The exporter {{ $labels.instance }} started {{ $value | printf "%.0f" }} times within an hour. While it is down, it watches nothing. As long as its store is'
    + ' kept, it counts no email twice and misses none.',
    keep='10m',
    note='Two starts between two scrapes count as one.',
  ),

  local modeChanged = alert(
    'TwilioEmailCountingModeChanged',
    'warning',
    '1m',
    terms.lines([
      'max by (%s) (changes(twilio_email_stats_reading{reading="cumulative"}[6h])) > 0' % terms.account,
      // A new account proves its mode sooner or later.
      'and on (%s) group by (%s) (last_over_time(twilio_email_up[1d] offset 1d))' % [terms.account, terms.account],
    ]),
    'Account {{ $labels.account }}: its counting mode is now {{ %s }}'
    % 'with printf `twilio_email_stats_reading{account=%q} == 1` $labels.account | query }}{{ (first .).Labels.reading }}{{ else }}?{{ end',
    who + ' has been watched for more than a day, and its counting mode changed within the last 6 hours. Counters keep what they counted in'
    + ' the old mode.',
    keep='10m',
  ),

  local notSaved = ofInstance(
    'TwilioEmailStateNotSaved',
    'warning',
    '5m',
    '%s > 0' % perInstance('increase(twilio_email_exporter_state_save_failures_total[15m])'),
    'Exporter {{ $labels.instance }}: counters cannot be saved',
    '{{ $value | printf "%.0f" }} attempts of the exporter {{ $labels.instance }} to save its counters failed within 15 minutes. Until a save succeeds, its counters do not change and alerts on ratios cannot fire.',
    keep='10m',
  ),

  // Not if saves fail: then the alert above fires.
  local hangs = ofInstance(
    'TwilioEmailSaveHanging',
    'warning',
    '5m',
    terms.lines([
      '%s > 60' % perInstance(now('twilio_email_exporter_state_unsaved_seconds')),
      'unless %s > 0' % perInstance('increase(twilio_email_exporter_state_save_failures_total[15m])'),
    ]),
    'Exporter {{ $labels.instance }}: its disk has not responded for {{ $value | humanizeDuration }}',
    'The oldest unsaved change of the exporter {{ $labels.instance }} is {{ $value | humanizeDuration }} old, and no save has failed: the disk hangs. Until it responds, counters do not change and alerts on ratios cannot fire.',
    keep='10m',
  ),

  local hidden = alert(
    'TwilioEmailSeriesHidden',
    'info',
    '1h',
    best(now('twilio_email_operations_without_series')) + ' > 0',
    'Account {{ $labels.account }}: {{ $value | printf "%.0f" }} operations have no series of their own',
    '{{ $value | printf "%.0f" }} operations of account {{ $labels.account }} have no series, because of the series limit or their size. Sums and counters include them, but no alert on a single operation covers them.',
    keep='10m',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-exporter',
      rules: [
        credentials,
        credentialsFailing,
        down,
        discovery,
        source,
        throttled,
        old,
        incomplete,
        skew,
        reload,
        restarting,
        modeChanged,
        notSaved,
        hangs,
        hidden,
      ],
    }],
  },
}

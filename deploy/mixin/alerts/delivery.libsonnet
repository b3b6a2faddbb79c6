// Alerts on what becomes of an account's mail, and on how much of it there is.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  // A budget that would last for the objective's whole period burns so many times faster than it should, over two windows:
  // the long one says that it matters, the short one that it still goes on.
  local speeds = [
    { long: '1h', short: '5m', times: '14.4', severity: 'critical', 'for': '2m', keep: '5m' },
    { long: '6h', short: '30m', times: '6', severity: 'critical', 'for': '10m', keep: '5m' },
    { long: '1d', short: '2h', times: '3', severity: 'warning', 'for': '30m', keep: '10m' },
    { long: '3d', short: '6h', times: '1', severity: 'warning', 'for': '1h', keep: '10m' },
  ],

  local burn(alert, level, labels, speed, severity, what, dashboard, extra, note) =
    local of(metric, window) = '%s:twilio_email_%s%s' % [level.name, metric, window];
    terms.alert(
      alert,
      severity,
      speed['for'],
      terms.lines([
        '%s > %s' % [of('budget_burn:ratio_rate', speed.long), speed.times],
        'and %s > %s' % [of('budget_burn:ratio_rate', speed.short), speed.times],
        'and %s >= %d' % [of('emails_handled:increase', speed.long), config.leastEmails],
        'and %s >= %d' % [of('emails_lost:increase', speed.long), config.leastLost],
      ]),
      dashboard,
      'Mail of %s is lost {{ $value | printf "%%.1f" }} times as often as its objective allows' % what,
      '%s Of %s emails of %s that were accepted or came to an end within %s, %s are undelivered or failed: {{ $value | printf "%%.1f" }} times what its objective allows, and it goes on.'
      % [
        terms.of(labels),
        terms.figure(of('emails_handled:increase', speed.long)),
        what,
        speed.long,
        terms.figure(of('emails_lost:increase', speed.long)),
      ],
      keep=speed.keep,
      labels={ window: speed.long } + extra,
      note=note,
    ),

  local ofAccount(speed) = burn(
    'TwilioEmailBudgetBurn',
    terms.levels.account,
    config.accountLabels,
    speed,
    speed.severity,
    'account {{ $labels.account }}',
    terms.overview,
    {},
    'More than %s times the allowed share, over %s and still over %s.' % [speed.times, speed.long, speed.short],
  ),

  // Whoever is woken is woken for the account; this tells the owners of a label.
  local ofLabel(speed) = burn(
    'TwilioEmailLabelBudgetBurn',
    terms.levels.label,
    terms.labelLabels,
    speed,
    'warning',
    'account {{ $labels.account }} with {{ $labels.label }}="{{ $labels.value }}"',
    terms.ofLabel,
    { [config.routeBy]: '{{ if eq $labels.label "%s" }}{{ $labels.value }}{{ end }}' % config.routeBy },
    'The same for the emails of one value of an aggregated label; absent without aggregate_by.',
  ),

  local accepted = 'account:twilio_email_emails_accepted:increase1h',
  local volumeGone = terms.alert(
    'TwilioEmailVolumeGone',
    'warning',
    '30m',
    terms.lines([
      accepted,
      '  < %s * (%s offset 1w)' % [config.goneShare, accepted],
      'and (%s offset 1w) >= %d' % [accepted, config.goneLeast],
      'and on (%s) max by (%s) (avg_over_time(twilio_email_up[1h])) > 0.9' % [terms.account, terms.account],
    ]),
    terms.overview,
    'Account {{ $labels.account }} sends hardly any mail',
    '%s Account {{ $labels.account }} had {{ $value | printf "%%.0f" }} emails accepted within an hour; in the same hour of last week it had %s. Twilio is read without trouble.'
    % [terms.of(config.accountLabels), terms.figure(accepted, after=' offset 1w')],
    keep='10m',
    note='Against the same hour of last week, and only while Twilio can be read: figures that stand still are no silence.',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-delivery',
      interval: config.shortInterval,
      rules: [ofAccount(speed) for speed in speeds]
             + [ofLabel(speed) for speed in speeds if speed.severity == 'critical']
             + [volumeGone],
    }],
  },
}

// Alerts on what becomes of an account's mail, and on how much of it there is.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),
  local account = terms.levels.account,

  local of(level, metric) = '%s:twilio_email_%s' % [level.name, metric],
  // How many times faster than allowed the error budget burns. The factor 1.01 keeps a value that is exactly at the limit, but rounded,
  // from being above it.
  local times = { '1h': 14.4, '6h': 6, '1d': 3, '3d': 1 },
  local burns(level, window, factor) = '%s%s > %g' % [of(level, 'budget_burn:ratio_rate'), window, factor * 1.01],
  // Enough emails are lost to judge their share: of few emails, its lower bound is above the limit as well.
  local enough(level, window) = terms.lines([
    'and %s%s >= %d' % [of(level, 'emails_lost:increase'), window, config.leastLost],
    'and (',
    '  %s%s >= %d' % [of(level, 'emails_handled:increase'), window, config.leastEmails],
    '  or %s%s' % [of(level, 'failure:lower_bound_rate'), window],
    '    > on (%s) group_left () %g * (1 - account:twilio_email_objective:ratio)' % [terms.account, times[window]],
    ')',
  ]),

  // Fast: within an hour, or within six that were watched; and the losses continue. Few emails come hours apart: if they were lost in more
  // than one hour, the last share within three hours counts.
  local fast(level) = terms.lines([
    burns(level, '1h', times['1h']),
    'and ' + burns(level, '20m', times['1h']),
    enough(level, '1h'),
    'or',
    burns(level, '6h', times['6h']),
    'and (',
    '  ' + burns(level, '20m', times['6h']),
    '  or last_over_time(%s20m[3h]) > %g' % [of(level, 'budget_burn:ratio_rate'), times['6h'] * 1.01],
    '    and %s6h < %d' % [of(level, 'emails_handled:increase'), 6 * config.leastEmails],
    '    and %s6h - max_over_time(%s1h[6h:20m]) >= %d'
    % [of(level, 'emails_lost:increase'), of(level, 'emails_lost:increase'), config.leastLost],
    ')',
    enough(level, '6h'),
    terms.watchedSince('6h', '350m'),
  ]),
  local fastName = 'account:twilio_email_budget_burn:fast',
  local failingName = 'operation:twilio_email_operation_failing:ratio',

  // Not where a critical alert has reported the losses.
  local unreported(window) = terms.lines([
    'unless last_over_time(%s[%s])' % [fastName, window],
    'unless on (%s) group by (%s) (last_over_time(%s[%s]))' % [terms.account, terms.account, failingName, window],
  ]),

  // Slow: within a day or three, all of it watched, and within the last six hours.
  local slow = terms.lines([
    '(',
    '  ' + burns(account, '1d', times['1d']),
    '  and ' + burns(account, '6h', times['1d']),
    terms.indented(enough(account, '1d')),
    '  ' + terms.watchedSince('12h', '23h'),
    '  or',
    '  ' + burns(account, '3d', times['3d']),
    '  and ' + burns(account, '6h', times['3d']),
    '  and %s >= %d' % [of(account, 'emails_handled:increase3d'), config.leastEmails],
    '  and %s >= %d' % [of(account, 'emails_lost:increase3d'), config.leastLost],
    '  ' + terms.watchedSince('1d', '71h'),
    ')',
    unreported('6h'),
  ]),

  // The text names the first window if it is above its limit, else the second.
  local sharper(level, first, second, text) =
    terms.either('%s{%%s} > %g' % [of(level, 'budget_burn:ratio_rate' + first), times[first] * 1.01], text(first), text(second)),
  local share(level, window) = terms.valueOf(of(level, 'failure:ratio_rate' + window), how=terms.percent),
  local burnSummary(level, labels, who, first, second) =
    terms.of(labels) + ' %s is losing mail {{ $value | printf "%%.1f" }}× faster than its error budget allows (%s)' % [
      who,
      sharper(level, first, second, function(window) '%s over %s' % [share(level, window), window]),
    ],
  // With the collector of emails: the provider that explains it.
  local byProvider =
    '{{ with printf `topk(1, account_provider:twilio_email_provider_failing:ratio{%%s})` $of | query }} The mailbox provider {{ (first .).Labels.provider }} loses {{ . | first | value | %s }}, others lose little.{{ end }}'
    % terms.percent,
  local burnDescription(level, labels, who, first, second) =
    terms.of(labels) + sharper(level, first, second, function(window)
      'Of %s emails of %s that were accepted or finished within %s, %s are undelivered or failed.' % [
        terms.valueOf(of(level, 'emails_handled:increase' + window)),
        who,
        window,
        terms.valueOf(of(level, 'emails_lost:increase' + window)),
      ])
    + (if level.name == 'account' then byProvider else '')
    + ' Its objective allows {{ with printf `1 - max(account:twilio_email_objective:ratio{%s})` %s | query }}{{ . | first | value | humanizePercentage }}{{ else }}?{{ end }}. The losses continue.'
      % [
        std.join(',', [name + '=%q' for name in config.accountLabels]),
        std.join(' ', ['$labels.' + name for name in config.accountLabels]),
      ],

  local ofAccount(severity, span, expr, first, second, note) = terms.alert(
    'TwilioEmailBudgetBurn',
    severity,
    span,
    expr,
    terms.overview,
    burnSummary(account, config.accountLabels, 'Account {{ $labels.account }}', first, second),
    burnDescription(account, config.accountLabels, 'account {{ $labels.account }}', first, second),
    keep='5m',
    note=note,
  ),

  local fastBurn = ofAccount(
    'critical',
    '2m',
    fastName,
    '1h',
    '6h',
    'More than %g times the allowed share within an hour, or %g times within six.' % [times['1h'], times['6h']],
  ),
  local slowBurn = ofAccount(
    'warning',
    '1h',
    slow,
    '1d',
    '3d',
    'More than %g times the allowed share within a day, or more than the allowed share within three days; not if a critical alert reported the losses.' % times['1d'],
  ),

  // The account's alert pages; this one notifies the owners of a label.
  local ofLabel =
    local who = '{{ $labels.label }}="{{ $labels.value }}" ({{ $labels.account }})';
    terms.alert(
      'TwilioEmailLabelBudgetBurn',
      'warning',
      '2m',
      fast(terms.levels.label),
      terms.ofLabel,
      burnSummary(terms.levels.label, terms.labelLabels, who, '1h', '6h'),
      burnDescription(terms.levels.label, terms.labelLabels, who, '1h', '6h'),
      keep='5m',
      labels={
        [config.routeBy]: '{{ if eq $labels.label "%s" }}{{ $labels.value }}{{ else }}none{{ end }}' % config.routeBy,
      },
      note='The same for one value of a label in `aggregate_by`.',
    ),

  local bounced = 'account_outcome:twilio_email_email_outcomes:increase1d{outcome="undelivered"}',
  local bounceRate = 'account:twilio_email_bounce:ratio_rate1d',
  local bounces(tier) = terms.alert(
    'TwilioEmailBounceRate',
    tier.severity,
    '30m',
    terms.lines([
      bounceRate + ' > %g' % (tier.above * 1.001),
      if std.objectHas(tier, 'below') then 'and %s <= %g' % [bounceRate, tier.below * 1.001],
      'and %s >= %d' % [of(account, 'emails_handled:increase1d'), config.bounceLeast],
      'and sum without (outcome) (%s) >= %d' % [bounced, config.leastLost],
      // Not losses that come alone, days after their mail: an alert on the operation reports these.
      'and %s < %s + sum without (outcome) (account_outcome:twilio_email_email_outcomes:increase1d{outcome="delivered"})'
      % ['0.9 * ' + of(account, 'emails_lost:increase1d'), of(account, 'emails_accepted:increase1d')],
      terms.watchedSince('12h', '23h'),
      unreported('1d'),
    ]),
    terms.overview,
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }}: {{ $value | %s }} of %s emails bounced over 1d, more than %s'
      % [terms.percent, terms.valueOf(of(account, 'emails_handled:increase1d')), tier.tier],
    terms.of(config.accountLabels)
    + ' {{ $value | %s }} of the emails of account {{ $labels.account }} within a day are undelivered: %s.' % [terms.percent, tier.means],
    keep='10m',
    labels={ tier: tier.tier },
    note='The tier of %s: %s.' % [tier.tier, tier.means],
  ),

  // `offset` belongs to each of the two series.
  local before = terms.bound(
    of(account, 'failure:ratio_rate3d') + ' offset 1d',
    of(account, 'emails_handled:increase3d') + ' offset 1d',
    config.unusualCertainty,
    sign='+',
  ),
  local unusual = terms.alert(
    'TwilioEmailLossesUnusual',
    'warning',
    '30m',
    terms.lines([
      '%s > 0' % of(account, 'failure:ratio_rate1d'),
      'and %s' % of(account, 'failure:lower_bound_rate1d'),
      '  > %g +' % config.unusualMore,
      terms.indented(before),
      'and %s >= %d' % [of(account, 'emails_lost:increase1d'), config.unusualLost],
      'and %s < %d' % [of(account, 'emails_handled:increase1d'), config.leastEmails],
      terms.watchedSince('1d', '4d'),
      unreported('1d'),
    ]),
    terms.overview,
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }}: {{ $value | %s }} of %s emails lost over 1d, after %s in the days before'
      % [
        terms.percent,
        terms.valueOf(of(account, 'emails_handled:increase1d')),
        terms.valueOf(of(account, 'failure:ratio_rate3d'), after=' offset 1d', how=terms.percent),
      ],
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }} lost %s of %s emails within a day. Compared with the three days before, that cannot be chance.'
      % [
        terms.valueOf(of(account, 'emails_lost:increase1d')),
        terms.valueOf(of(account, 'emails_handled:increase1d')),
      ],
    keep='10m',
    note='For accounts of fewer than %d emails a day, which seldom have enough emails for the other alerts.' % config.leastEmails,
  ),

  local waiting = terms.best(terms.now('twilio_email_emails_unconfirmed{older_than="6h"}')),
  local unconfirmed = terms.alert(
    'TwilioEmailUnconfirmed',
    'warning',
    '30m',
    terms.lines([
      '%s >= %d' % [waiting, config.leastEmails],
      'unless %s <= %g * %s' % [waiting, config.unconfirmedShare, of(account, 'emails_accepted:increase3d')],
      // Only while Twilio can be read, because otherwise new deliveries are not known.
      'and on (%s) max by (%s) (avg_over_time(twilio_email_up[1h])) > 0.9' % [terms.account, terms.account],
    ]),
    terms.overview,
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }}: {{ $value | %s }} emails unconfirmed for 6 hours or more, of %s accepted over 3d'
      % [terms.number, terms.valueOf(of(account, 'emails_accepted:increase3d'))],
    terms.of(config.accountLabels)
    + ' {{ $value | %s }} emails of account {{ $labels.account }} were sent at least 6 hours ago and are neither delivered nor lost; %s of them at least a day ago.'
      % [terms.number, terms.valueOf('twilio_email_emails_unconfirmed', ',older_than="1d"')]
    + ' Usually, mailbox providers defer them. Twilio retries for up to 72 hours, and then they are lost.',
    keep='10m',
    note='The only sign of deferred mail in the API. Nothing is lost yet.',
  ),

  local accepted = 'account:twilio_email_emails_accepted:increase1h',
  local isRead = 'and on (%s) max by (%s) (avg_over_time(twilio_email_up[1h])) > 0.9' % [terms.account, terms.account],
  local volumeGone = terms.alert(
    'TwilioEmailVolumeGone',
    'warning',
    '30m',
    terms.lines([
      accepted,
      '  < %s * (%s offset 1w)' % [config.goneShare, accepted],
      'and (%s offset 1w) >= %d' % [accepted, config.goneLeast],
      isRead,
    ]),
    terms.overview,
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }}: {{ $value | %s }} emails accepted over 1h, %s in the same hour of last week'
      % [terms.number, terms.valueOf(accepted, after=' offset 1w')],
    '%s Account {{ $labels.account }} had {{ $value | %s }} emails accepted within an hour; in the same hour of last week it had %s. Twilio can be read without errors.'
    % [terms.of(config.accountLabels), terms.number, terms.valueOf(accepted, after=' offset 1w')],
    keep='10m',
    note='Compared with the same hour of last week, and only while Twilio can be read, because counts do not change either if it cannot.',
  ),

  // The hours beside it count as well, so that a send may come an hour earlier or later.
  local lastWeek = 'max_over_time(%s[2h:10m] offset 167h)' % accepted,
  local volumeSurge = terms.alert(
    'TwilioEmailVolumeSurge',
    'warning',
    '10m',
    terms.lines([
      accepted,
      '  > %g * (%s)' % [config.surgeTimes, lastWeek],
      'and %s >= %d' % [accepted, config.surgeLeast],
      isRead,
    ] + [
      // Watched throughout: now, and in the hours that it is compared with.
      'and on (%s) last_over_time(twilio_email_up[%s] offset %s)' % [terms.account, config.freshness, before]
      for before in ['1h', '167h', '1w', '169h']
    ]),
    terms.overview,
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }}: {{ $value | %s }} emails accepted over 1h, %s in the same hour of last week'
      % [terms.number, terms.asked('max(max_over_time(%s{%%s}[2h:10m] offset 167h))' % accepted, terms.number)],
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }} had {{ $value | %s }} emails accepted within an hour, more than %g times the same hour of last week. The cause can be a loop in the application, or stolen credentials.'
      % [terms.number, config.surgeTimes],
    keep='10m',
    note='Not after a gap in scrapes, because all growth of the gap appears at once.',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-delivery',
      interval: config.shortInterval,
      rules: [
               {
                 record: fastName,
                 expr: fast(account),
                 note:: 'How many times the allowed share is lost, only while that is critical.',
               },
               {
                 record: bounceRate,
                 expr: terms.lines([
                   'sum without (outcome) (%s)' % bounced,
                   '/',
                   '(%s > 0)' % of(account, 'emails_handled:increase1d'),
                 ]),
                 note:: 'The share of the emails of a day that bounced (undelivered).',
               },
               fastBurn,
               slowBurn,
               ofLabel,
             ]
             + [bounces(tier) for tier in config.bounceTiers]
             + [unusual, unconfirmed, volumeGone, volumeSurge],
    }],
  },
}

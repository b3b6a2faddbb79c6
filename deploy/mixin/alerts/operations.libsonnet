// Alerts on one operation: a campaign, or any send of many emails.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  // Several exporters may show the same operation; the highest value is the newest.
  local highest(what) = 'max by (%s) (%s)' % [terms.operation, what],
  local of(metric, labels='') = highest('twilio_email_operation_' + metric + labels),
  // The same for slower alerts, at any scrape interval up to 5 minutes.
  local kept(metric, labels='') = highest(terms.now('twilio_email_operation_' + metric + labels)),
  local is(word) = kept('state', '{state="%s"}' % word) + ' == 1',
  local share = 'operation:twilio_email_operation_failure:ratio',
  local lost = 'operation:twilio_email_operation_lost:max',
  local failingNow = 'operation:twilio_email_operation_failing:ratio',
  local lateLosses = 'operation:twilio_email_operation_late_losses:increase',

  // Before Twilio has created emails, only the number of recipients is known.
  local isLarge = terms.lines([
    'and (',
    '  %s >= %d' % [kept('size'), config.leastEmails],
    '  or %s >= %d' % [kept('recipients'), config.leastEmails],
    ')',
  ]),
  // Was completed long ago: new losses are late losses.
  local wasCompleted = highest('twilio_email_operation_state{state="completed"} offset ' + config.lateAfter) + ' == 1',

  local size = terms.valueOf('twilio_email_operation_size'),
  local emails(status) = terms.valueOf('twilio_email_operation_emails', ',status="%s"' % status),
  // The time from its scheduled time or creation to its last change, or to now.
  local age = terms.asked(
    '(max(twilio_email_operation_updated_timestamp_seconds{%s}) or vector(time()))'
    + ' - (max(twilio_email_operation_scheduled_timestamp_seconds{%s}) or max(twilio_email_operation_created_timestamp_seconds{%s}))',
    terms.span
  ),
  local named = terms.of(terms.operationLabels) + ' Operation {{ $labels.operation_id }} of account {{ $labels.account }} ',
  local alert(name, severity, span, expr, summary, description, keep, note) = terms.alert(
    name,
    severity,
    span,
    expr,
    terms.ofOperation,
    terms.operationName + summary,
    named + description + terms.userLabels,
    keep=keep,
    labels={ [config.routeBy]: terms.route },
    note=note,
    begin=terms.of(terms.operationLabels) + ' ',
  ),

  local isFailing = terms.lines([
    '%s > %s' % [share, config.failingShare],
    'and %s >= %d' % [of('size'), config.leastEmails],
    'unless %s < %s * %s' % [lost, config.failingShareOfRecipients, of('recipients')],
    'and (',
    '  %s == 1' % of('state', '{state="processing"}'),
    '  or %s > last_over_time(%s[1h] offset %s)' % [lost, lost, config.failingRecently],
    '  or %s > time() - %d' % [of('created_timestamp_seconds'), terms.seconds(config.failingRecently)],
    '    and on (%s) account:twilio_email_objective:ratio offset %s' % [terms.account, config.failingRecently],
    ')',
    'unless %s' % wasCompleted,
  ]),

  local failing = alert(
    'TwilioEmailOperationFailing',
    'critical',
    '15s',
    failingNow,
    ': {{ $value | %s }} of %s emails lost in %s' % [terms.percent, size, age],
    'has lost {{ $value | %s }} of its %s emails: %s undelivered, %s failed. %s are still queued.'
    % [terms.percent, size, emails('undelivered'), emails('failed'), emails('queued')],
    '10m',
    null,
  ),

  local late = alert(
    'TwilioEmailOperationLateLosses',
    'warning',
    '5m',
    terms.lines([
      lateLosses + ' >= %d' % config.leastLost,
      'and %s / %s > %g' % [lateLosses, kept('size'), config.lateShare],
    ]),
    ': {{ $value | %s }} of %s emails lost within 6 hours, long after it was completed' % [terms.number, size],
    'was completed more than %s ago, and has lost {{ $value | %s }} of its %s emails within the last 6 hours. In all it has lost %s. Twilio retries deferred mail for up to 72 hours, so it may lose more.'
    % [std.strReplace(config.lateAfter, 'h', ' hours'), terms.number, size, terms.valueOf(lost)],
    '10m',
    'Only a warning, because the send is over.',
  ),

  // Emails that are no longer waiting, in either counting mode.
  local counted(window) = highest(
    'sum without (status) (last_over_time(twilio_email_operation_emails{status=~"sent|delivered|opened|undelivered|failed|canceled"}[%s]%s))' % [
      config.freshness,
      window,
    ]
  ),

  local stuck = alert(
    'TwilioEmailOperationStuck',
    'warning',
    '5m',
    terms.lines([
      '(',
      '  %s' % kept('last_success_timestamp_seconds'),
      '  - (',
      '    ' + kept('updated_timestamp_seconds'),
      '    or ' + kept('created_timestamp_seconds'),
      '  ) > %d' % terms.seconds(config.stuckAfter),
      '  and %s == 0' % highest('changes(twilio_email_operation_emails[%s])' % config.stuckAfter),
      '  or',
      '  (%s - %s > 3600) * 0 + 3600' % [kept('last_success_timestamp_seconds'), kept('created_timestamp_seconds')],
      '  and %s > time() - 3600' % kept('last_success_timestamp_seconds'),
      '  and %s > 0' % kept('emails', '{status="queued"}'),
      '  and %s' % counted(''),
      '    - %s' % counted(' offset 1h'),
      '    < %g * %s' % [config.stuckShare, kept('size')],
      '  and %s == 1' % highest('min_over_time(twilio_email_operation_state{state="processing"}[1h])'),
      '  and on (%s) max by (%s) (avg_over_time(twilio_email_up[1h])) > 0.9' % [terms.account, terms.account],
      ')',
      'and ' + is('processing'),
      isLarge,
    ]),
    ': no progress for {{ $value | %s }}, %s emails queued' % [terms.span, emails('queued')],
    'is being processed, but has made almost no progress for {{ $value | humanizeDuration }}. %s emails are queued.'
    % emails('queued'),
    '5m',
    'Compared with the time of the last read: if Twilio cannot be read, old data does not mean that the operation is stuck.',
  ),

  local knowsWhen = 'max(twilio_email_operation_scheduled_timestamp_seconds{%s})',
  local overdue = alert(
    'TwilioEmailOperationLate',
    'warning',
    '10m',
    terms.lines([
      '(',
      '  time() - %s > %d' % [kept('scheduled_timestamp_seconds'), terms.seconds(config.overdueAfter)],
      '  or',
      '  time() - %s > %d' % [kept('created_timestamp_seconds'), terms.seconds(config.scheduledAhead)],
      '    unless ' + kept('scheduled_timestamp_seconds'),
      ')',
      'and ' + is('scheduled'),
      isLarge,
    ]),
    ': still scheduled {{ $value | %s }} after %s' % [terms.span, terms.either(knowsWhen, 'its time', 'it was created')],
    terms.either(
      knowsWhen,
      'should have begun {{ $value | humanizeDuration }} ago, and has %s scheduled emails.' % emails('scheduled'),
      'was created {{ $value | humanizeDuration }} ago and is still scheduled, with %s emails. The alert assumes that sends are scheduled at most %s ahead.'
      % [emails('scheduled'), config.scheduledAhead]
    ),
    '5m',
    'The exporter knows the scheduled time with `series.tags` or the collector of emails. Otherwise, the longest time that you schedule ahead counts.',
  ),

  prometheusAlerts+:: {
    groups+: [
      {
        name: 'twilio-email-operations',
        interval: config.operationInterval,
        rules: [
          {
            record: lost,
            expr: highest('sum without (status) (twilio_email_operation_emails{status=~"undelivered|failed"})'),
            note:: 'Emails that the operation has lost, and their share of its emails.',
          },
          { record: share, expr: terms.lines([lost, '/', '(%s > 0)' % of('size')]) },
          {
            record: failingNow,
            expr: isFailing,
            note:: 'The share lost of an operation that loses too much now: it is being processed, is new, or has lost more emails'
                   + ' recently. Not if it was completed long ago, because nobody can act then.',
          },
          failing,
        ],
      },
      {
        name: 'twilio-email-operations-slow',
        interval: '1m',
        rules: [
          {
            record: lateLosses,
            expr: terms.lines([
              '%s - (%s offset %s) > 0' % [lost, lost, config.lateAfter],
              'and ' + wasCompleted,
            ]),
            note:: 'Emails that an operation lost within the last %s, if it was completed before.' % std.strReplace(config.lateAfter, 'h', ' hours'),
          },
          late,
          stuck,
          overdue,
        ],
      },
    ],
  },
}

// Alerts on one operation: a campaign, or any send of many emails.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  // Several exporters may show the same operation; the highest figure is the newest.
  local highest(what) = 'max by (%s) (%s)' % [terms.operation, what],
  local of(metric, labels='') = highest('twilio_email_operation_' + metric + labels),
  local state(word) = of('state', '{state="%s"}' % word) + ' == 1',
  local share = 'operation:twilio_email_operation_failure:ratio',
  local lost = 'operation:twilio_email_operation_lost:max',

  // Before anything has been created, the recipients are all there is to see.
  local isLarge = terms.lines([
    'and (',
    '  %s >= %d' % [of('size'), config.leastEmails],
    '  or %s >= %d' % [of('recipients'), config.leastEmails],
    ')',
  ]),
  local size = terms.figure('twilio_email_operation_size'),
  local emails(status) = terms.figure('twilio_email_operation_emails', ',status="%s"' % status),
  local named = terms.of(terms.operationLabels) + ' Operation {{ $labels.operation_id }} of account {{ $labels.account }} ',
  local alert(name, severity, span, expr, summary, description, keep, note) = terms.alert(
    name,
    severity,
    span,
    expr,
    terms.ofOperation,
    summary,
    named + description + terms.userLabels,
    keep=keep,
    labels={ [config.routeBy]: terms.route },
    note=note,
  ),

  local failing = alert(
    'TwilioEmailOperationFailing',
    'critical',
    '1m',
    terms.lines([
      '%s > %s' % [share, config.failingShare],
      'and %s >= %d' % [of('size'), config.leastEmails],
      'and (',
      '  %s' % state('processing'),
      '  or %s > %s offset %s' % [lost, lost, config.failingRecently],
      '  or %s > time() - %d' % [of('created_timestamp_seconds'), terms.seconds(config.failingRecently)],
      ')',
    ]),
    'An operation of account {{ $labels.account }} loses {{ $value | humanizePercentage }} of its emails',
    'has lost {{ $value | humanizePercentage }} of its %s emails: %s undelivered, %s failed. %s are still queued.'
    % [size, emails('undelivered'), emails('failed'), emails('queued')],
    '5m',
    'Only while it is processed or new, or has lost more of late: what is over wakes nobody.',
  ),

  local stuck = alert(
    'TwilioEmailOperationStuck',
    'warning',
    '5m',
    terms.lines([
      of('last_success_timestamp_seconds'),
      '- (',
      '  ' + of('updated_timestamp_seconds'),
      '  or ' + of('created_timestamp_seconds'),
      ') > %d' % terms.seconds(config.stuckAfter),
      'and %s == 0' % highest('changes(twilio_email_operation_emails[%s])' % config.stuckAfter),
      'and ' + state('processing'),
      isLarge,
    ]),
    'An operation of account {{ $labels.account }} is being processed and stands still',
    'is being processed, yet when it was last read, Twilio had not changed it for {{ $value | humanizeDuration }}. %s emails are queued.'
    % emails('queued'),
    '5m',
    'By the time at which it was last read: figures that are old because Twilio cannot be read are not stuck.',
  ),

  local late = alert(
    'TwilioEmailOperationLate',
    'warning',
    '10m',
    terms.lines([
      'time() - %s > %d' % [of('created_timestamp_seconds'), terms.seconds(config.scheduledAhead)],
      'and ' + state('scheduled'),
      isLarge,
    ]),
    'An operation of account {{ $labels.account }} is still scheduled {{ $value | humanizeDuration }} after it was created',
    'was created {{ $value | humanizeDuration }} ago and is still scheduled, with %s emails waiting. Sends are expected to be scheduled at most %s ahead.'
    % [emails('scheduled'), config.scheduledAhead],
    '5m',
    'Twilio does not tell for when an operation is scheduled, so the longest time ahead has to be known.',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-operations',
      interval: config.shortInterval,
      rules: [
        {
          record: lost,
          expr: highest('sum without (status) (twilio_email_operation_emails{status=~"undelivered|failed"})'),
          note:: 'Emails that the operation has lost, and their share of those it has created.',
        },
        { record: share, expr: terms.lines([lost, '/', '(%s > 0)' % of('size')]) },
        failing,
        stuck,
        late,
      ],
    }],
  },
}

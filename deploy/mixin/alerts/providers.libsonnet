// What becomes of an account's mail at each mailbox provider, from the emails themselves: recording rules, and alerts on a provider that
// fails alone and on slow delivery. All of it is absent without the collector of emails.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  local provider(metric) = 'account_provider:twilio_email_' + metric,
  local rule(name, expr, note=null) = { record: name, expr: expr, note:: note },

  // A provider's counters begin with its first email. Their first value is growth if no exporter had them before, and the account's emails
  // were already read. (An exporter that is new, or has another name, continues its counters.)
  local isNew(metric, window) = [
    '  or',
    '  last_over_time(%s[%s])' % [metric, config.freshness],
    '    unless on (%s) last_over_time(%s[1h] offset %s)' % [terms.provider, metric, window],
    '    and on (%s) last_over_time(twilio_email_emails_coverage_ratio[%s] offset %s)' % [terms.account, config.freshness, window],
  ],
  local grew(metric, by, window) = terms.grew(metric, by, window, before='1h', first=isNew(metric, window)),
  local ended = 'twilio_email_provider_outcomes_total{outcome=~"delivered|undelivered|failed"}',
  local outcomes(window) = 'account_provider_outcome:twilio_email_provider_outcomes:increase' + window,
  local ofAccount(expr) = 'on (%s) group_left () sum by (%s) (%s)' % [terms.account, terms.account, expr],

  // What late losses are a share of: the emails of three days, by the counters alone.
  local endedOfDays = rule(
    provider('emails_ended:increase3d'),
    terms.lines([
      'max by (%s) (' % terms.provider,
      '  sum without (outcome) (',
      '    last_over_time(%s[%s]) - last_over_time(%s[%s] offset 3d) >= 0' % [ended, config.freshness, ended, config.freshness],
      '    or last_over_time(%s[%s])' % [ended, config.freshness],
      '  )',
      ')',
    ]),
    'For late losses of a provider: the emails of the last three days.',
  ),

  // The rules of one window.
  local window(window) =
    local lost = provider('emails_lost:increase' + window);
    local all = provider('emails_ended:increase' + window);
    local days = provider('emails_ended:increase3d');
    local handled = provider('emails_handled:increase' + window);
    local failure = provider('failure:ratio_rate' + window);
    local of(metric) = 'account:twilio_email_%s:increase%s' % [metric, window];
    local delivered = 'sum without (outcome) (account_outcome:twilio_email_email_outcomes:increase%s{outcome="delivered"})' % window;
    [
      rule(outcomes(window), grew(ended, terms.provider + ', outcome', window), 'Within %s.' % window),
      rule(lost, 'sum without (outcome) (%s{outcome=~"undelivered|failed"})' % outcomes(window)),
      rule(all, 'sum without (outcome) (%s)' % outcomes(window)),
      // Losses are late if they exceed the delivered emails, and twice the provider's usual part of the account's emails.
      rule(handled, terms.lines([
        '%s > %s' % [days, all],
        '  and %s > ignoring (outcome) %s{outcome="delivered"}' % [lost, outcomes(window)],
        '  and %s > 2 * %s' % [lost, days],
        '    / ' + ofAccount(days),
        '    * on (%s) group_left () (%s > %s or %s)' % [terms.account, of('emails_accepted'), delivered, delivered],
        'or',
        all,
      ])),
      rule(failure, '%s / (%s > 0)' % [lost, handled]),
      rule(provider('failure:lower_bound_rate' + window), terms.lowerBound(failure, handled)),
    ],

  // More is lost than can be chance, and far more than at all other providers together.
  local fails(window) =
    local lost = provider('emails_lost:increase' + window);
    local handled = provider('emails_handled:increase' + window);
    local bound = provider('failure:lower_bound_rate' + window);
    local others(what) = '%s * -1 + %s' % [what, ofAccount(what)];
    terms.lines([
      provider('failure:ratio_rate' + window),
      'and %s > %g' % [bound, config.providerShare],
      'and %s > %g *' % [bound, config.providerTimes],
      '  (%s)' % others(lost),
      '  /',
      '  (%s >= %d)' % [others(handled), config.leastEmails],
      'and %s >= %d' % [lost, config.leastLost],
    ]),
  local failingName = provider('provider_failing:ratio'),
  // All domains without a provider of their own: nothing that could fail alone.
  local isNamed = 'unless %s{provider="other"}',
  local isFailing = rule(
    failingName,
    terms.lines([
      fails('1h'),
      isNamed % provider('emails_lost:increase1h'),
      'or',
      fails('6h'),
      isNamed % provider('emails_lost:increase6h'),
      'unless %s <= %g' % [provider('failure:ratio_rate1h'), config.providerShare],
      terms.watchedSince('6h', '350m'),
    ]),
    'The share that a provider loses, only while it fails and others do not: within an hour, or within six hours if the last hour was no better.',
  ),

  local isOfHour = '%s{%%s} == %s{%%s}' % [failingName, provider('failure:ratio_rate1h')],
  local values(window) = '%s emails lost over %s' % [terms.valueOf(provider('emails_handled:increase' + window)), window],
  local failing = terms.alert(
    'TwilioEmailProviderFailing',
    'warning',
    '10m',
    failingName,
    terms.ofProvider,
    terms.of(terms.providerLabels)
    + ' Account {{ $labels.account }}: {{ $labels.provider }} fails, other providers do not: {{ $value | %s }} of %s'
      % [terms.percent, terms.either(isOfHour, values('1h'), values('6h'))],
    terms.of(terms.providerLabels)
    + ' Of the emails of account {{ $labels.account }} to the mailbox provider {{ $labels.provider }}, {{ $value | %s }} are undelivered or failed,'
      % terms.percent
    + ' and few of those to other providers. The provider blocks the sender, or its own servers fail. Twilio\'s API has no bounce reasons.',
    keep='10m',
    note='One mailbox provider blocks the sender. If others fail as well, alerts on the account fire.',
  ),

  local bucket = 'twilio_email_delivery_duration_seconds_bucket',
  local buckets = 'account_provider_le:%s:increase1h' % bucket,
  local quantile = provider('delivery_duration_seconds:p95_rate1h'),
  local ofWhole = 'account:twilio_email_delivery_duration_seconds:p95_rate1h',
  local slowName = provider('delivery_slow:seconds'),
  local objective = 'account:twilio_email_delivery_objective:seconds',
  local enough = '%s{le="+Inf"} >= %d' % [buckets, config.deliveryLeast],
  local duration = [
    rule(buckets, grew(bucket, terms.provider + ', le', '1h'), 'Deliveries within an hour, in the buckets of the histogram.'),
    rule(
      quantile,
      'histogram_quantile(0.95, %s)' % buckets,
      'The time within which 95% of the emails of an hour were accepted: by a provider, and by all providers.'
    ),
    rule(ofWhole, 'histogram_quantile(0.95, sum by (%s, le) (%s))' % [terms.account, buckets]),
    rule(
      slowName,
      terms.lines([
        '%s > on (%s) group_left () %s' % [quantile, terms.account, objective],
        'and ignoring (le) ' + enough,
      ]),
      'The same, only while it is above the objective.'
    ),
  ],
  // All providers together, if each has few emails.
  local whom = '{{ if $labels.provider }}{{ $labels.provider }}{{ else }}all providers{{ end }}',
  local slow = terms.alert(
    'TwilioEmailDeliverySlow',
    'warning',
    '15m',
    terms.lines([
      slowName,
      'or',
      '%s > %s' % [ofWhole, objective],
      'and sum by (%s) (%s{le="+Inf"}) >= %d' % [terms.account, buckets, config.deliveryLeast],
      'unless on (%s) %s' % [terms.account, slowName],
    ]),
    terms.deliverability + '{{ if $labels.provider }}&var-provider={{ $labels.provider | urlquery }}{{ end }}',
    terms.of(config.accountLabels)
    + ' Account {{ $labels.account }}: delivery to %s takes {{ $value | humanizeDuration }} (95th percentile of %s emails over 1h), the objective is %s' % [
      whom,
      '{{ if $labels.provider }}%s{{ else }}%s{{ end }}' % [
        '{{ with printf `sum(%s{%%s,provider=%%q,le="+Inf"})` $of $labels.provider | query }}{{ . | first | value | %s }}{{ else }}?{{ end }}'
        % [buckets, terms.number],
        terms.asked('sum(%s{%%s,le="+Inf"})' % buckets, terms.number),
      ],
      terms.asked('max(%s{%%s})' % objective, 'humanizeDuration'),
    ],
    'Of the emails of account {{ $labels.account }} that %s accepted within the last hour, 5%% were accepted more than {{ $value | humanizeDuration }} after their scheduled time or creation.'
    % whom
    + ' Emails that are still in transit are not counted. Accepted does not mean that an email is in the inbox.',
    keep='10m',
    note='More than 5% of the emails that a provider, or all providers together, accepted within an hour took longer than the objective.',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-providers',
      interval: '1m',
      rules: [endedOfDays] + window('1h') + window('6h') + [isFailing, failing],
    }, {
      name: 'twilio-email-delivery-time',
      interval: '1m',
      rules: duration + [slow],
    }],
  },
}

// Recording rules: the objective, and what became of the emails within a window.
{
  local config = $._config,
  local terms = (import 'terms.libsonnet')(config),

  local objective =
    local own(account) = '%s * group by (%s) (last_over_time(twilio_email_up{account="%s"}[1d]))'
                         % [config.objectives[account], terms.account, account];
    local common = '%s * group by (%s) (last_over_time(twilio_email_up[1d]))' % [config.objective, terms.account];
    terms.lines([own(account) + '\nor' for account in std.objectFields(config.objectives)] + [common]),

  // The windows that are read from samples; longer ones are sums of the shortest, at whole multiples of it.
  local shortest = '20m',
  local sampled = [shortest, '1h', '6h'],

  local name(level, metric, operation) = '%s:twilio_email_%s:%s' % [level.name, metric, operation],
  local rule(name, expr, note=null) = { record: name, expr: expr, note:: note },

  // What a counter grew by within the window, by the exporter that saw most: the last value minus the one before the window, which is
  // exact at any scrape interval, and counts what happened in a gap in which nothing was scraped when it is seen.
  // - Where the counter began anew, `increase` knows how. A state that was restored from a backup puts a counter back, but not to 0:
  //   what it had before is not counted again.
  // - A user label's counter comes with the first operation that has it, and what it shows then belongs to the window: `increase`
  //   cannot know that, but the account was there already when the window began.
  local grew(level, metric, by, window) =
    local increase = 'max by (%s) (increase(%s[%s]))' % [by, metric, window];
    if level.name == 'account' then terms.lines([
      'max by (%s) (' % by,
      '  last_over_time(%s[%s]) - last_over_time(%s[1d] offset %s) >= 0' % [metric, window, metric, window],
      '    unless resets(%s[%s]) > 0' % [metric, window],
      '  or',
      '  last_over_time(%s[%s]) - min_over_time(%s[%s])' % [metric, window, metric, window],
      '    and resets(%s[%s]) > 0' % [metric, window],
      '    and min_over_time(%s[%s]) > max_over_time(%s[%s]) / 2' % [metric, window, metric, window],
      '  or',
      '  increase(%s[%s])' % [metric, window],
      ')',
    ])
    else terms.lines([
      'max by (%s) (%s)' % [by, metric],
      '  unless max by (%s) (%s offset %s)' % [by, metric, window],
      '  and on (%s) (twilio_email_emails_accepted_total offset %s)' % [terms.account, window],
      'or',
      increase,
    ]),
  local growth(level, metric, recorded, by, window) =
    if std.member(sampled, window) then grew(level, metric, by, window)
    else 'sum_over_time(%s[%s:%s])' % [recorded + shortest, window, shortest],

  local outcomesName(level) = '%s_outcome:twilio_email_email_outcomes:increase' % level.name,
  local lostOf(level, window) = 'sum without (outcome) (%s%s{outcome=~"undelivered|failed"})' % [outcomesName(level), window],
  local endedOf(level, window) = 'sum without (outcome) (%s%s{outcome=~"delivered|undelivered|failed"})' % [outcomesName(level), window],

  // The lower bound of the share that is lost (E. B. Wilson's), for windows of few emails.
  local lowerBound(failure, handled) =
    local z = config.certainty;
    terms.lines([
      '(',
      '  %s + %s / %s' % [failure, z * z / 2, handled],
      '  - %s * sqrt(%s * (1 - %s) / %s + %s / %s ^ 2)' % [z, failure, failure, handled, z * z / 4, handled],
      ')',
      '/',
      '(1 + %s / %s)' % [z * z, handled],
    ]),

  // What is kept of one window. `bounded` ones have a lower bound of the share.
  local window(level, window, bounded=false) =
    local increase(metric) = name(level, metric, 'increase');
    local accepted = increase('emails_accepted') + window;
    local outcomes = outcomesName(level) + window;
    local lost = increase('emails_lost') + window;
    local ended = increase('emails_ended');
    local handled = increase('emails_handled') + window;
    local failure = name(level, 'failure', 'ratio_rate' + window);
    // Losses that are more than what was accepted and delivered meanwhile come late: they belong to the mail of the last three days.
    local late = terms.lines([
      'last_over_time(%s3d[%s]) > %s%s' % [ended, shortest, ended, window],
      '  and %s > %s' % [lost, accepted],
      '  and %s > ignoring (outcome) %s{outcome="delivered"}' % [lost, outcomes],
      'or',
    ]);
    [
      rule(accepted, growth(level, level.accepted, increase('emails_accepted'), level.by, window), 'Within %s.' % window),
      rule(outcomes, growth(level, level.outcomes, outcomesName(level), level.by + ', outcome', window)),
      rule(lost, lostOf(level, window)),
      rule(ended + window, endedOf(level, window)),
      rule(handled, terms.lines(
        (if window == '3d' then [] else [late])
        + ['%s > %s%s' % [accepted, ended, window], 'or', ended + window]
      )),
      rule(failure, '%s / (%s > 0)' % [lost, handled]),
      rule(
        name(level, 'budget_burn', 'ratio_rate') + window,
        terms.lines([
          failure,
          '  / on (%s) group_left ()' % terms.account,
          '(1 - account:twilio_email_objective:ratio)',
        ]),
      ),
    ]
    + (if bounded then [rule(name(level, 'failure', 'lower_bound_rate') + window, lowerBound(failure, handled))] else []),

  // Of a label, three days are needed only for what late losses are a share of.
  local labelDays =
    local level = terms.levels.label;
    [rule(
      name(level, 'emails_ended', 'increase3d'),
      'sum_over_time(%s%s[3d:%s])' % [name(level, 'emails_ended', 'increase'), shortest, shortest],
      'Of a label, what late losses are a share of.',
    )],

  local group(name, interval, rules) = { name: name, interval: interval, rules: rules },
  local account = terms.levels.account,
  local label = terms.levels.label,

  prometheusRules+:: {
    groups+: [
      { name: 'twilio-email-objective', rules: [rule('account:twilio_email_objective:ratio', objective)] },
      group('twilio-email-ratios', config.shortInterval, window(account, '20m') + window(account, '1h', bounded=true)),
      group(
        'twilio-email-ratios-long',
        config.longInterval,
        window(account, '3d') + window(account, '6h', bounded=true) + window(account, '1d', bounded=true)
      ),
      group('twilio-email-label-ratios', config.shortInterval, window(label, '20m') + window(label, '1h', bounded=true)),
      group('twilio-email-label-ratios-long', config.longInterval, labelDays + window(label, '6h', bounded=true)),
    ],
  },
}

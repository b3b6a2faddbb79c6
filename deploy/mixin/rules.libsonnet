// Recording rules: the objective, and the ratios of what happened within a window.
{
  local config = $._config,
  local terms = (import 'terms.libsonnet')(config),

  local objective =
    local own(account) = '%s * group by (%s) (last_over_time(twilio_email_up{account="%s"}[1d]))'
                         % [config.objectives[account], terms.account, account];
    local common = '%s * group by (%s) (last_over_time(twilio_email_up[1d]))' % [config.objective, terms.account];
    terms.lines([own(account) + '\nor' for account in std.objectFields(config.objectives)] + [common]),

  // What a counter grew by within the window. A user label's counter comes with the first operation that has it, and what it
  // shows then belongs to the window: `increase` cannot know that, but the account was there already when the window began.
  local grew(level, metric, by, window) =
    local increase = 'sum by (%s) (increase(%s[%s]))' % [by, metric, window];
    if level.name == 'account' then increase
    else terms.lines([
      'sum by (%s) (%s)' % [by, metric],
      '  unless sum by (%s) (%s offset %s)' % [by, metric, window],
      '  and on (%s) (twilio_email_emails_accepted_total offset %s)' % [terms.account, window],
      'or',
      increase,
    ]),

  local rule(name, expr, note=null) = { record: name, expr: expr, note:: note },

  local window(level, window) =
    local name(metric, operation) = '%s:twilio_email_%s:%s%s' % [level.name, metric, operation, window];
    local accepted = name('emails_accepted', 'increase');
    local outcomes = '%s_outcome:twilio_email_email_outcomes:increase%s' % [level.name, window];
    local handled = name('emails_handled', 'increase');
    local lost = name('emails_lost', 'increase');
    local ended = name('emails_ended', 'increase');
    local failure = name('failure', 'ratio_rate');
    local of(words) = '%s{outcome=~"%s"}' % [outcomes, words];
    local share(part, whole) = terms.lines([
      '%s{outcome="%s"}' % [outcomes, part],
      '  / ignoring (outcome)',
      '(%s > 0)' % whole,
    ]);
    [
      rule(accepted, grew(level, level.accepted, level.by, window), 'Within %s.' % window),
      rule(outcomes, grew(level, level.outcomes, level.by + ', outcome', window)),
      rule(lost, 'sum without (outcome) (%s)' % of('undelivered|failed')),
      rule(ended, 'sum without (outcome) (%s)' % of('delivered|undelivered|failed')),
      rule(handled, terms.lines(['%s > %s' % [accepted, ended], 'or', ended])),
      rule(failure, '%s / (%s > 0)' % [lost, handled]),
      rule(name('delivery', 'ratio_rate'), share('delivered', ended)),
      rule(name('open', 'ratio_rate'), share('opened', '%s{outcome="delivered"}' % outcomes)),
      rule(
        name('budget_burn', 'ratio_rate'),
        terms.lines([
          failure,
          '  / on (%s) group_left ()' % terms.account,
          '(1 - account:twilio_email_objective:ratio)',
        ]),
      ),
    ],

  local ratios(level, windows) = std.flattenArrays([window(level, w) for w in windows]),
  local group(name, interval, rules) = { name: name, interval: interval, rules: rules },

  shortWindows:: ['5m', '30m', '1h'],
  longWindows:: ['2h', '6h', '1d', '3d'],

  prometheusRules+:: {
    groups+: [
      { name: 'twilio-email-objective', rules: [rule('account:twilio_email_objective:ratio', objective)] },
      group('twilio-email-ratios', config.shortInterval, ratios(terms.levels.account, $.shortWindows)),
      group('twilio-email-ratios-long', config.longInterval, ratios(terms.levels.account, $.longWindows)),
      group('twilio-email-label-ratios', config.shortInterval, ratios(terms.levels.label, $.shortWindows)),
      group('twilio-email-label-ratios-long', config.longInterval, ratios(terms.levels.label, $.longWindows)),
    ],
  },
}

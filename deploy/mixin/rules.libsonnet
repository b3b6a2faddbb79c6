// Recording rules: the objective, and what became of the emails within a window.
{
  local config = $._config,
  local terms = (import 'terms.libsonnet')(config),

  // A value for every account, and for some of their own.
  local objective(common, objectives) =
    local own(account) = '%g * group by (%s) (last_over_time(twilio_email_up{account="%s"}[1d]))'
                         % [objectives[account], terms.account, account];
    local others = '%g * group by (%s) (last_over_time(twilio_email_up[1d]))' % [common, terms.account];
    terms.lines([own(account) + '\nor' for account in std.objectFields(objectives)] + [others]),

  // The windows that are read from samples; longer ones are sums of the shortest, at whole multiples of it.
  local shortest = '20m',
  local sampled = [shortest, '1h', '6h'],

  local name(level, metric, operation) = '%s:twilio_email_%s:%s' % [level.name, metric, operation],
  local rule(name, expr, note=null) = { record: name, expr: expr, note:: note },

  // A counter of a user label begins with the first operation that has the label. `increase` ignores this first value. It counts if
  // the account was already watched when the window began.
  local grew(level, metric, by, window) =
    if level.name == 'account' then terms.grew(metric, by, window)
    else terms.lines([
      'max by (%s) (%s)' % [by, metric],
      '  unless max by (%s) (%s offset %s)' % [by, metric, window],
      '  and on (%s) (twilio_email_emails_accepted_total offset %s)' % [terms.account, window],
      'or',
      'max by (%s) (increase(%s[%s]))' % [by, metric, window],
    ]),
  local growth(level, metric, recorded, by, window) =
    if std.member(sampled, window) then grew(level, metric, by, window)
    else 'sum_over_time(%s[%s:%s])' % [recorded + shortest, window, shortest],

  local outcomesName(level) = '%s_outcome:twilio_email_email_outcomes:increase' % level.name,
  local lostOf(level, window) = 'sum without (outcome) (%s%s{outcome=~"undelivered|failed"})' % [outcomesName(level), window],
  local endedOf(level, window) = 'sum without (outcome) (%s%s{outcome=~"delivered|undelivered|failed"})' % [outcomesName(level), window],

  // The rules of one window; with `bounded`, also the lower bound of the share.
  local window(level, window, bounded=false) =
    local increase(metric) = name(level, metric, 'increase');
    local accepted = increase('emails_accepted') + window;
    local outcomes = outcomesName(level) + window;
    local lost = increase('emails_lost') + window;
    local ended = increase('emails_ended');
    local handled = increase('emails_handled') + window;
    local failure = name(level, 'failure', 'ratio_rate' + window);
    // Losses are late if they exceed both the accepted and the delivered emails of the window. They are then a share of the emails of the
    // last three days.
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
    + (if bounded then [rule(name(level, 'failure', 'lower_bound_rate') + window, terms.lowerBound(failure, handled))] else []),

  // A label needs three days only for late losses.
  local labelDays =
    local level = terms.levels.label;
    [rule(
      name(level, 'emails_ended', 'increase3d'),
      'sum_over_time(%s%s[3d:%s])' % [name(level, 'emails_ended', 'increase'), shortest, shortest],
      'For late losses of a label value: the emails of the last three days.',
    )],

  local group(name, interval, rules) = { name: name, interval: interval, rules: rules },
  local account = terms.levels.account,
  local label = terms.levels.label,

  prometheusRules+:: {
    groups+: [
      {
        name: 'twilio-email-objective',
        rules: [
          rule(
            'account:twilio_email_objective:ratio',
            objective(config.objective, config.objectives),
            'The share of accepted emails that must be neither undelivered nor failed.',
          ),
          rule(
            'account:twilio_email_delivery_objective:seconds',
            objective(
              terms.seconds(config.deliveryObjective),
              { [account]: terms.seconds(config.deliveryObjectives[account]) for account in std.objectFields(config.deliveryObjectives) }
            ),
            'Of the emails that recipients\' servers accept, they must accept 95% within this time.',
          ),
        ],
      },
      group('twilio-email-ratios', config.shortInterval, window(account, '20m') + window(account, '1h', bounded=true)),
      group('twilio-email-ratios-long', config.longInterval, window(account, '3d') + window(account, '6h', bounded=true)),
      group('twilio-email-ratios-day', config.longInterval, window(account, '1d', bounded=true)),
      group('twilio-email-label-ratios', config.shortInterval, window(label, '20m') + window(label, '1h', bounded=true)),
      group('twilio-email-label-ratios-long', config.longInterval, labelDays + window(label, '6h', bounded=true)),
    ],
  },
}

// The rule files for those who use Prometheus without jsonnet: which groups go into which file, and the comments beside them.
// ../../tests/mixin writes them.
local mixin = import 'mixin.libsonnet';

local groups = mixin.prometheusRules.groups + mixin.prometheusAlerts.groups;
local shown(rule) = {
  note: if std.objectHasAll(rule, 'note') then rule.note,
  rule: rule,
};
local file(comment, names) = {
  comment: comment,
  groups: [
    group { rules: [shown(rule) for rule in group.rules] }
    for group in groups
    if std.member(names, group.name)
  ],
};

{
  'twilio-email-objective.yml': file(|||
    The objectives. This is the one place to set them. An account gets one of its own when a line like these stands before the common one:
      0.999 * group by (cluster, environment, namespace, job, account) (last_over_time(twilio_email_up{account="receipts"}[1d])) or
      60 * group by (cluster, environment, namespace, job, account) (last_over_time(twilio_email_up{account="receipts"}[1d])) or
    The share is below 1. A time that is a bound of the histogram is compared exactly: 1, 2, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600 s.
  |||, ['twilio-email-objective']),

  'twilio-email-ratios.yml': file(|||
    What became of an account's emails within windows of time; right under both readings of Twilio's stats, with one exporter or
    several, and at any scrape interval up to 5 minutes.

    emails_accepted  created within the window
    email_outcomes   reached this outcome within the window; an opened email has reached delivered, too
    emails_lost      became undelivered or failed
    emails_ended     were delivered, undelivered or failed
    emails_handled   were accepted or finished, whichever are more: so a campaign whose failures come first is not judged
                     by them alone, and one whose emails were accepted long ago is judged by those that finish. Where
                     losses come alone, later than the mail that they belong to, it is the mail of the last three days
    failure          lost of handled: what the objective is about; its lower_bound is for few emails
    budget_burn      failure in multiples of what the objective allows
    A ratio of nothing is absent.
  |||, ['twilio-email-ratios', 'twilio-email-ratios-long', 'twilio-email-ratios-day']),

  'twilio-email-label-ratios.yml': file(|||
    The same for each value of the labels that `aggregate_by` names; without it these rules give nothing and cost nothing.
  |||, ['twilio-email-label-ratios', 'twilio-email-label-ratios-long']),

  'twilio-email-delivery.yml': file(|||
    Alerts on what becomes of an account's mail, and on how much of it there is. Needs the ratios and the objective.
  |||, ['twilio-email-delivery']),

  'twilio-email-providers.yml': file(|||
    What becomes of an account's mail at each mailbox provider, how long delivery takes, and alerts on both. Needs the ratios and the objectives.
    Without the collector of emails these rules give nothing and cost nothing.
  |||, ['twilio-email-providers', 'twilio-email-delivery-time']),

  'twilio-email-operations.yml': file(|||
    Alerts on one operation: a campaign, or any send of many emails.
  |||, ['twilio-email-operations', 'twilio-email-operations-slow']),

  'twilio-email-exporter.yml': file(|||
    Alerts on whether the data can be trusted: the exporter, and its connection to Twilio.
  |||, ['twilio-email-exporter', 'twilio-email-watching']),
}

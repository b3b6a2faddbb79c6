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
    The objectives: set yours here. For an objective of one account, add a line like these before the common one:
      0.999 * group by (cluster, environment, namespace, job, account) (last_over_time(twilio_email_up{account="receipts"}[1d])) or
      60 * group by (cluster, environment, namespace, job, account) (last_over_time(twilio_email_up{account="receipts"}[1d])) or
    The share must be below 1. The comparison with a time is exact if the time is a bound of the histogram: 1, 2, 5, 10, 15, 30, 60, 120, 300,
    900, 3600 or 21600 s.
  |||, ['twilio-email-objective']),

  'twilio-email-ratios.yml': file(|||
    The outcomes of an account's emails within windows of time. They are right in both counting modes, with one exporter or
    several, and at any scrape interval up to 5 minutes.

    emails_accepted  created within the window
    email_outcomes   reached this outcome within the window; an opened email has reached delivered, too
    emails_lost      became undelivered or failed
    emails_ended     were delivered, undelivered or failed
    emails_handled   were accepted or finished, whichever are more. So if the failures of a campaign come first, all its
                     accepted emails count; if its emails were accepted long ago, those that finish now count. For
                     late losses, the emails of the last three days count
    failure          lost / handled: the objective limits this; its lower_bound is for few emails
    budget_burn      failure / the share that the objective allows
    If there are no emails, a ratio is absent.
  |||, ['twilio-email-ratios', 'twilio-email-ratios-long', 'twilio-email-ratios-day']),

  'twilio-email-label-ratios.yml': file(|||
    The same for each value of the labels in `aggregate_by`. Without it, these rules return nothing and cost nothing.
  |||, ['twilio-email-label-ratios', 'twilio-email-label-ratios-long']),

  'twilio-email-delivery.yml': file(|||
    Alerts on the losses and the volume of an account's mail. Needs the ratios and the objective.
  |||, ['twilio-email-delivery']),

  'twilio-email-providers.yml': file(|||
    The outcomes and delivery times of an account's emails by mailbox provider, and alerts on both. Needs the ratios and the objectives.
    Without the collector of emails, these rules return nothing and cost nothing.
  |||, ['twilio-email-providers', 'twilio-email-delivery-time']),

  'twilio-email-operations.yml': file(|||
    Alerts on one operation: a campaign, or any send of many emails.
  |||, ['twilio-email-operations', 'twilio-email-operations-slow']),

  'twilio-email-exporter.yml': file(|||
    Alerts on whether the data can be trusted: the exporter, and its connection to Twilio.
  |||, ['twilio-email-exporter', 'twilio-email-watching']),
}

// Alerts on whether anything is watched: exporters that are gone, accounts that are, and accounts that cannot be distinguished.
{
  local config = $._config,
  local terms = (import '../terms.libsonnet')(config),

  local placeLabels = [label for label in terms.jobLabels if label != 'job'],
  local namesake = std.join(', ', placeLabels + ['account']),
  local watched = 'group by (%s) (twilio_email_up)' % terms.account,
  // Without its job: the account's name within the same cluster, environment and namespace.
  local jobsThatWatch = 'count by (%s) (%s)' % [namesake, watched],
  local exporters = 'count by (%s) (twilio_email_exporter_build_info)' % terms.job,
  // How long after its last sample an account counts as missing.
  local memory = '2w',
  local exportersThen = 'account:twilio_email_exporters:count',
  local jobsThen = 'account:twilio_email_jobs:count',
  local last(recorded) = 'last_over_time(%s[%s])' % [recorded, memory],

  local gone = terms.lines([
    last(exportersThen),
    '  unless ' + watched,
    // A job that did not watch it before watches it now: the job was renamed.
    '  unless on (%s) %s <= on (%s) group_left () %s' % [terms.account, last(jobsThen), namesake, jobsThatWatch],
  ]),
  local isReplaced = '%s <= on (%s) group_left () %s' % [last(exportersThen), terms.job, exporters],
  local ofJob = if std.member(config.accountLabels, 'job') then ' of job {{ $labels.job }}' else '',

  local absent = terms.alert(
    'TwilioEmailExporterAbsent',
    'critical',
    '6m',
    terms.lines([gone, 'unless ' + isReplaced]),
    terms.exporter,
    'Account {{ $labels.account }}: no exporter is scraped for it',
    terms.of(terms.jobLabels)
    + ' Account {{ $labels.account }} was watched, but Prometheus no longer has data of it: it scrapes fewer exporters' + ofJob + ' than before.'
    + ' {{ with printf `up{%s} == 0` $of | query }}The target {{ (first .).Labels.instance }} does not respond.'
    + '{{ else }}No target fails: Prometheus no longer has the target.{{ end }}',
    note='If an account disappears, but its job has as many exporters as before, it was removed from the configuration. That is no failure.',
  ),

  local removed = terms.alert(
    'TwilioEmailAccountRemoved',
    'info',
    '6m',
    terms.lines([
      std.strReplace(gone, '[%s]' % memory, '[1d]'),
      'and ' + std.strReplace(isReplaced, '[%s]' % memory, '[1d]'),
    ]),
    terms.exporter,
    'Account {{ $labels.account }}: no longer in the configuration of its exporter',
    'Account {{ $labels.account }} was watched within the last day. The exporters' + ofJob + ' are still scraped, but none has this account any more: it was removed or renamed.',
    note='For information only. It ends after a day.',
  ),

  local never = terms.alert(
    'TwilioEmailNothingWatched',
    'warning',
    '30m',
    terms.lines([
      'absent(twilio_email_exporter_build_info)',
      'unless on () group(%s)' % last(exportersThen),
    ]),
    'twilio-email-exporter',
    'No twilio-email-exporter is scraped, although its rules are loaded',
    'Prometheus has the rules of twilio-email-exporter, but no data of any exporter, and had none within two weeks. No alert on mail can fire.',
  ),

  local target = terms.alert(
    'TwilioEmailTargetDown',
    'warning',
    '15m',
    terms.lines([
      'max by (%s, instance) (%s) == 0' % [terms.job, 'max_over_time(up[%s])' % config.freshness],
      'and on (%s, instance) group by (%s, instance) (last_over_time(twilio_email_exporter_build_info[1d]))' % [terms.job, terms.job],
    ]),
    terms.exporters,
    'Exporter {{ $labels.instance }}: not scraped for 15 minutes or more',
    'Prometheus cannot scrape the exporter {{ $labels.instance }}' + ofJob + '. If no other exporter watches its accounts, TwilioEmailExporterAbsent fires, too.',
    keep='10m',
  ),

  local ambiguous = terms.alert(
    'TwilioEmailAccountAmbiguous',
    'warning',
    '30m',
    terms.lines([
      // By their other labels, without those of targets and of Prometheus.
      'count by (%s) (group without (instance, pod, container, endpoint, node, service, prometheus, prometheus_replica, replica) (twilio_email_up)) > 1'
      % terms.account,
      'or',
      // By their volume: exporters of one account count the same.
      '(',
      '  max by (%s) (increase(twilio_email_emails_accepted_total[6h])) - min by (%s) (increase(twilio_email_emails_accepted_total[6h]))'
      % [terms.account, terms.account],
      '  > 0.2 * max by (%s) (increase(twilio_email_emails_accepted_total[6h]))' % terms.account,
      '  and max by (%s) (increase(twilio_email_emails_accepted_total[6h])) > %d' % [terms.account, config.goneLeast],
      '  and on (%s) min by (%s) (avg_over_time(twilio_email_up[6h])) > 0.9' % [terms.account, terms.account],
      '  and on (%s) min by (%s) (count_over_time(twilio_email_up[6h:10m])) >= 35' % [terms.account, terms.account],
      ')',
    ]),
    terms.exporter,
    'Account {{ $labels.account }}: several Twilio accounts probably have this name',
    terms.of(config.accountLabels)
    + ' Several exporters have an account {{ $labels.account }}, and probably watch different Twilio accounts: their other labels or their volumes differ.'
    + ' The rules use the highest of their values, so they may not show the losses of the others.',
    keep='10m',
    note='Two environments have an account of the same name. The exporters of a pair would have equal values.',
  ),

  prometheusAlerts+:: {
    groups+: [{
      name: 'twilio-email-watching',
      interval: '1m',
      rules: [
        {
          record: exportersThen,
          expr: '%s * on (%s) group_left () %s' % [watched, terms.job, exporters],
          note:: 'For each watched account: the number of exporters of its job, and the number of jobs that watch an account of this name.',
        },
        { record: jobsThen, expr: '%s * on (%s) group_left () %s' % [watched, namesake, jobsThatWatch] },
        absent,
        removed,
        never,
        target,
        ambiguous,
      ],
    }],
  },
}

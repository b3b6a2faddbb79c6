// All settings. ../prometheus/rules is rendered with these values.
{
  _config+:: {
    // The labels that distinguish accounts; a series need not have all of them. If your environments differ in other labels (region,
    // tenant, …), add these: accounts that do not differ in a label of this list count as one.
    accountLabels: ['cluster', 'environment', 'namespace', 'job', 'account'],

    // The labels of targets and of Prometheus servers, as a regular expression. Exporters that differ only in these
    // watch the same accounts. Alerts leave them out of the list of an operation's labels.
    targetLabels: 'container|endpoint|exported_.*|instance|node|pod|prometheus|prometheus_replica|replica|service',

    // The share of accepted emails that must be neither undelivered nor failed; below 1. `objectives` is for single accounts.
    objective: 0.99,
    objectives: {},  // for instance {receipts: 0.999}

    // With this many emails in a window, the share that is lost counts as it is. With fewer, the lower bound of its confidence interval counts.
    leastEmails: 100,
    // With fewer lost emails in a window, no alert fires.
    leastLost: 10,
    // The confidence of the lower bound, in standard deviations: at 3, one of a thousand healthy windows would be above it.
    certainty: 3,

    // The bounce rates at which sending providers act, of an account's emails within a day. Fewer emails than `bounceLeast` do not count.
    bounceTiers: [
      { tier: '2%', above: 0.02, below: 0.05, severity: 'warning', means: 'well-kept lists stay below 2%' },
      { tier: '5%', above: 0.05, below: 0.1, severity: 'warning', means: 'sending providers begin to review an account at 5%' },
      { tier: '10%', above: 0.1, severity: 'critical', means: 'sending providers stop an account at 10%' },
    ],
    bounceLeast: 200,

    // A small account loses unusually many emails: at least this many, and the lower bound of their share is this much above the upper
    // bound of the share of the three days before. That bound has its own confidence: even with 0 of 90 lost, it is above 0.
    unusualLost: 5,
    unusualMore: 0.02,
    unusualCertainty: 2,

    // Mail is unconfirmed if at least leastEmails, and more than this share of the emails accepted within three days, are neither delivered
    // nor lost for six hours. This is the only sign of deferred mail.
    unconfirmedShare: 0.05,

    // Delivery is slow if more than 5% of the emails that a mailbox provider accepted within an hour took longer than this. Fewer emails than
    // `deliveryLeast` do not count. The comparison is exact if the time is a bound of the histogram's buckets.
    deliveryObjective: '1h',
    deliveryObjectives: {},  // for instance {receipts: '1m'}
    deliveryLeast: 100,

    // A single mailbox provider fails if more than this share of its emails is lost, and this many times the share of all other providers.
    providerShare: 0.05,
    providerTimes: 3,

    // An operation of at least leastEmails fails if more than this share of its emails is lost.
    failingShare: 0.1,
    // And at least this share of its recipients, because failures come first, while Twilio still creates emails.
    failingShareOfRecipients: 0.02,
    // The alert continues for this long after the last loss. The account's alert must end earlier (20m and 5m).
    failingRecently: '20m',
    // Emails that an operation loses this long after it was completed are late losses. Twilio retries deferred mail for up to 72 hours.
    lateAfter: '6h',
    // The alert on late losses needs more than this share of the operation's emails, and leastLost of them.
    lateShare: 0.01,
    // An operation is stuck if its stats have not changed for this long while it is being processed,
    stuckAfter: '30m',
    // or if less than this share of its emails was sent within an hour.
    stuckShare: 0.01,
    // An operation is late if it is still scheduled this long after its time.
    overdueAfter: '15m',
    // The longest time that you schedule a send ahead, if the exporter does not know the scheduled time.
    scheduledAhead: '1d',

    // The volume is gone if an hour has less than this share of the same hour a week before, which had at least `goneLeast` emails.
    goneShare: 0.1,
    goneLeast: 500,
    // It surges if an hour has more than this many times the emails of the same hour a week before, and at least `surgeLeast`.
    surgeTimes: 3,
    surgeLeast: 1000,

    // The largest allowed difference between the exporter's clock and Twilio's, in seconds.
    clockSkew: 60,
    // With this many restarts within an hour, the alert fires.
    restarts: 4,

    // How long a value counts after its last sample: two scrapes at 5 minutes.
    freshness: '10m',

    // A label of operations (from `twilio_email_operation_info`) that alerts have, so that you can route them by it.
    routeBy: 'campaign',

    // The addresses that alerts link to.
    grafana: 'http://localhost:3000',
    runbooks: 'https://github.com/twilio-email-exporter/twilio-email-exporter/blob/main/docs/runbooks',

    // Added to every alert.
    alertLabels: {},

    // The evaluation intervals of rules on operations (the alert on a failing campaign waits for it), on short windows, and on long ones.
    operationInterval: '15s',
    shortInterval: '30s',
    longInterval: '2m',
  },
}

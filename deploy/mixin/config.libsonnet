// Everything that may be set. What is here is what ../prometheus/rules is rendered with.
{
  _config+:: {
    // What tells one account from another; a label that a series does not have does not matter. Where several environments report to
    // one Prometheus under other labels (region, tenant, …), add these: accounts that differ by nothing in this list count as one.
    accountLabels: ['cluster', 'environment', 'namespace', 'job', 'account'],

    // Labels that say where a sample was scraped or who scraped it, as a regular expression. Exporters that differ only in these
    // watch the same accounts, and alerts leave these out where they list the labels that users gave to an operation.
    targetLabels: 'container|endpoint|exported_.*|instance|node|pod|prometheus|prometheus_replica|replica|service',

    // The share of accepted emails that are to be neither undelivered nor failed; below 1. Accounts may have one of their own.
    objective: 0.99,
    objectives: {},  // for instance {receipts: 0.999}

    // From this many emails in a window, the share that is lost counts as it is. Below, its lower bound counts: with how many emails
    // lost of how few it is certain that more than the allowed share is lost.
    leastEmails: 100,
    // Below this many lost emails in a window no share counts.
    leastLost: 10,
    // How certain the lower bound is, in standard deviations: at 3, one of a thousand healthy windows would be above it.
    certainty: 3,

    // The bounce rates that sending providers act on, of an account's emails within a day, and from how many emails.
    bounceTiers: [
      { tier: '2%', above: 0.02, below: 0.05, severity: 'warning', means: 'above what mailbox providers see from well-kept lists' },
      { tier: '5%', above: 0.05, below: 0.1, severity: 'warning', means: 'where sending providers review an account' },
      { tier: '10%', above: 0.1, severity: 'critical', means: 'where sending providers stop an account' },
    ],
    bounceLeast: 200,

    // A small account loses unusually many emails: from this many lost, and when the least share that it can be is by so much above the
    // highest share that the three days before can have been, at so many standard deviations. Of 90 emails none may be lost by chance.
    unusualLost: 5,
    unusualMore: 0.02,
    unusualCertainty: 2,

    // Mail stays unconfirmed when for six hours at least leastEmails, and more than this share of what was accepted within three days, were
    // neither delivered nor lost. It is the only sign of mail that is deferred.
    unconfirmedShare: 0.05,

    // Delivery is slow when 95 % of the emails that a mailbox provider accepted within an hour took longer than this, of at least so many
    // emails. Accounts may have an objective of their own. A bound of the histogram's buckets is compared exactly.
    deliveryObjective: '1h',
    deliveryObjectives: {},  // for instance {receipts: '1m'}
    deliveryLeast: 100,

    // A mailbox provider fails alone when more than this share of its emails is lost, and so many times the share of all other providers.
    providerShare: 0.05,
    providerTimes: 3,

    // An operation of at least leastEmails goes wrong when more than this share of it is lost.
    failingShare: 0.1,
    // And more than this share of its recipients: failures come first, while it still creates emails.
    failingShareOfRecipients: 0.02,
    // It keeps firing for this long after the last loss. The account's own alert must end earlier (20m and 5m).
    failingRecently: '20m',
    // After an operation has been completed for so long, what it loses is a late loss. Twilio retries deferred mail for up to 72 hours.
    lateAfter: '6h',
    // Late losses count from this share of the operation, and from leastLost.
    lateShare: 0.01,
    // An operation is stuck when its stats have not changed for this long while it was processed,
    stuckAfter: '30m',
    // or when an hour moved less than this share of it.
    stuckShare: 0.01,
    // An operation is late when it is still scheduled so long after its time.
    overdueAfter: '15m',
    // The longest time that you schedule a send ahead, where it is not known for when it was scheduled.
    scheduledAhead: '1d',

    // The volume is gone when an hour has less than this share of the same hour a week before, and that one had so many emails.
    goneShare: 0.1,
    goneLeast: 500,
    // It surges when an hour has more than so many times the same hour a week before, and at least so many emails.
    surgeTimes: 3,
    surgeLeast: 1000,

    // How far this machine's clock may be from Twilio's, in seconds.
    clockSkew: 60,
    // So many restarts within an hour are too many.
    restarts: 4,

    // For how long a value counts after its last sample: two scrapes at 5 minutes.
    freshness: '10m',

    // A user label of operations (from `twilio_email_operation_info`) that alerts carry, so that they can be routed by it.
    routeBy: 'campaign',

    // What the links of alerts begin with.
    grafana: 'http://localhost:3000',
    runbooks: 'https://github.com/twilio-email-exporter/twilio-email-exporter/blob/main/docs/runbooks',

    // Added to every alert.
    alertLabels: {},

    // How often operations are looked at (the first alert of a failing campaign waits for it), short windows, and long ones.
    operationInterval: '15s',
    shortInterval: '30s',
    longInterval: '2m',
  },
}

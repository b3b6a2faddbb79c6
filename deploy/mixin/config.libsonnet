// Everything that may be set. What is here is what ../prometheus/rules is rendered with.
{
  _config+:: {
    // What tells one account from another. Where several clusters or environments report to one Prometheus, add their label.
    accountLabels: ['job', 'account'],

    // Labels that say where a sample was scraped; left out where an alert shows the labels that users gave to an operation.
    targetLabels: ['container', 'endpoint', 'instance', 'namespace', 'pod', 'service'],

    // The share of accepted emails that are to be neither undelivered nor failed; below 1. Accounts may have one of their own.
    objective: 0.99,
    objectives: {},  // for instance {receipts: 0.999}

    // Below this many emails in a window, or this many lost, nobody is told of a share.
    leastEmails: 100,
    leastLost: 10,

    // An operation of at least leastEmails goes wrong when more than this share of it is lost.
    failingShare: 0.1,
    // It is told for so long after the last loss.
    failingRecently: '15m',
    // An operation is stuck when its figures have stood still for so long while it was processed.
    stuckAfter: '30m',
    // The longest time that you schedule a send ahead.
    scheduledAhead: '1d',

    // The volume is gone when an hour has less than this share of the same hour a week before, and that one had so many emails.
    goneShare: 0.1,
    goneLeast: 500,

    // A user label of operations (from `twilio_email_operation_info`) that alerts carry, so that they can be routed by it.
    routeBy: 'campaign',

    // What the links of alerts begin with.
    grafana: 'http://localhost:3000',
    runbooks: 'https://github.com/twilio-email-exporter/twilio-email-exporter/blob/main/docs/runbooks',

    // Added to every alert.
    alertLabels: {},

    // How often short windows and operations are looked at, and how often windows of a day and more.
    shortInterval: '30s',
    longInterval: '2m',
  },
}

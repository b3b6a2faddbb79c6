// operator.mjs FILE: checks a list of Prometheus Operator's objects by its schemas. One line per error, then how many were checked.
import { readFileSync } from 'node:fs';
import * as v1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as v1alpha1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1';

const versions = { 'monitoring.coreos.com/v1': v1, 'monitoring.coreos.com/v1alpha1': v1alpha1 };
let checked = 0;
let errors = 0;
for (const object of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  checked += 1;
  try {
    const kind = versions[object.apiVersion]?.[object.kind];
    if (!kind) throw new Error(`${object.apiVersion} has no schema`);
    new kind(object).validate();
  } catch (error) {
    errors += 1;
    console.log(`${object.kind} ${object.metadata.name}: ${error.message}`);
  }
}
console.log(`${checked} checked`);
process.exit(errors ? 1 : 0);

// operator.mjs FILE: checks a list of Prometheus Operator's objects. One line per error, then how many were checked.
// Values are checked by the operator's schemas. These let unknown fields through, which its types do not: the compiler finds them.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import * as v1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as v1alpha1 from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1alpha1';

const group = 'monitoring.coreos.com';
const versions = { v1, v1alpha1 };
const objects = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const errors = [];
const lines = Object.keys(versions).map((version) =>
  `import type * as ${version} from '@kubernetes-models/prometheus-operator/${group}/${version}';`);

for (const object of objects) {
  const name = `${object.kind} ${object.metadata.name}`;
  const version = object.apiVersion.replace(`${group}/`, '');
  try {
    const kind = versions[version]?.[object.kind];
    if (!kind) throw new Error(`${object.apiVersion} has no schema`);
    new kind(object).validate();
    lines.push(`/* ${name} */ ((_: ${version}.I${object.kind}) => {})(${JSON.stringify(object)});`);
  } catch (error) {
    errors.push(`${name}: ${error.message}`);
  }
}

const file = join(dirname(fileURLToPath(import.meta.url)), `objects-${process.pid}.ts`);
writeFileSync(file, lines.join('\n'));
const program = ts.createProgram([file], {
  noEmit: true, strict: true, skipLibCheck: true, types: [],
  module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, target: ts.ScriptTarget.ES2022,
});
for (const { messageText, file: source, start } of ts.getPreEmitDiagnostics(program)) {
  const line = source ? lines[source.getLineAndCharacterOfPosition(start).line] : '';
  const name = line.match(/^\/\* (.*?) \*\//)?.[1] ?? line;
  errors.push(`${name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
}
ts.sys.deleteFile(file);

errors.forEach((error) => console.log(error));
console.log(`${objects.length} checked`);
process.exit(errors.length ? 1 : 0);

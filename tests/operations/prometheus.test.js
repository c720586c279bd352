// Prometheus, as Debian has it, on two servers under load: what dashboards and alerts ask for is there, and the alert for an
// overload fires.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startPlenum } from '../e2e/harness/plenum.js';
import { freePort } from '../e2e/harness/ports.js';
import { start, stop } from '../e2e/harness/process.js';
import { until } from '../e2e/harness/wait.js';

const path = (relative) => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const run = promisify(execFile);

const RULES = ['recording.rules.yml', 'alerts.rules.yml'];
const DASHBOARDS = readdirSync(path('deploy/grafana')).map((file) => [file, JSON.parse(readFileSync(path(`deploy/grafana/${file}`)))]);
const panelsOf = (dashboard) => dashboard.panels.filter((panel) => panel.type !== 'row');

/** The load generator encodes too, unoptimised: this is enough for every figure. */
const CALLS = `
rooms = 2
participants = 6
speakers = 3
full = 6
[speaker]
fec = true
[hold]
warm_up = 1
seconds = 40
`;

/** Everybody speaks, in the mode that costs most, and one mix thread has to do it all. */
const OVERDRIVE = `
rooms = 4
participants = 40
speakers = 40
full = 1
[room]
quality = 10
[speaker]
content = "speech"
fec = true
[arrival]
pattern = "storm"
[hold]
warm_up = 1
seconds = 40
`;

describe('promtool', () => {
  it('accepts the configuration and the rules, and their unit tests pass', async () => {
    await run('promtool', ['check', 'config', path('deploy/prometheus/prometheus.yml')]);
    await run('promtool', ['check', 'rules', ...RULES.map((file) => path(`deploy/prometheus/${file}`))]);
    await run('promtool', ['test', 'rules', path('deploy/prometheus/tests/alerts.test.yml')]);
  });
});

describe('a dashboard', () => {
  for (const [file, dashboard] of DASHBOARDS) {
    it(`is whole: ${file}`, () => {
      const ids = dashboard.panels.map((panel) => panel.id);
      assert.equal(new Set(ids).size, ids.length);
      assert.ok(dashboard.uid && dashboard.title && dashboard.schemaVersion >= 36);
      for (const annotation of dashboard.annotations.list) assert.equal(annotation.datasource.uid, '${datasource}', annotation.name);
      assert.deepEqual(dashboard.templating.list.map((variable) => variable.name), ['datasource', 'instance']);
      for (const panel of panelsOf(dashboard)) {
        assert.ok(panel.title && panel.targets.length > 0 && panel.fieldConfig.defaults.unit, panel.title);
        for (const part of [panel, ...panel.targets]) assert.equal(part.datasource.uid, '${datasource}', panel.title);
        assert.equal(new Set(panel.targets.map((target) => target.refId)).size, panel.targets.length, panel.title);
      }
      const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
      );
      assert.equal(new Set(cells).size, cells.length, 'panels lie on one another');
    });
  }
});

describe('Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const processes = [];
  let calm;
  let overdriven;
  let url;

  before(async () => {
    calm = await startPlenum();
    overdriven = await startPlenum({ environment: { PLENUM_MIXER__MIX_THREADS: '1', PLENUM_MEDIA__NET_THREADS: '1' } });
    url = await startPrometheus(folder, processes, [calm, overdriven].map((server) => `127.0.0.1:${server.ports.admin}`));
    // The counters have to be seen before they rise.
    await until(async () => (await query(url, 'count(plenum_build_info)'))[0]?.value === 2, 'both are scraped');
    processes.push(await load(folder, 'calls', CALLS, calm), await load(folder, 'overdrive', OVERDRIVE, overdriven));
  });

  after(async () => {
    await Promise.all(processes.map((process) => stop(process)));
    await Promise.all([calm?.stop(), overdriven?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  // The other one may be overloaded too: they share the machine with the load generator.
  it('tells of the server that the load generator overdrives', async () => {
    const firing = `ALERTS{alertname="PlenumOverloaded",alertstate="firing",instance="127.0.0.1:${overdriven.ports.admin}"}`;
    const alerts = await until(async () => {
      const alerts = await query(url, firing);
      return alerts.length > 0 && alerts;
    }, 'the alert fires', 30_000);

    assert.equal(alerts[0].metric.severity, 'warning');
  });

  it('finds data for every panel and every annotation', async () => {
    const expressions = DASHBOARDS.flatMap(([file, dashboard]) => [
      ...panelsOf(dashboard).flatMap((panel) => panel.targets.map(({ expr }) => [`${file}: ${panel.title}`, expr])),
      ...dashboard.annotations.list.map(({ name, expr }) => [`${file}: ${name}`, measured(expr)]),
    ]);
    assert.ok(expressions.length > 50);

    await findData(url, expressions);
  });

  it('finds data for every alert and every recording rule', async () => {
    const { groups } = (await (await fetch(`${url}/api/v1/rules`)).json()).data;
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.filter((rule) => rule.type === 'alerting').length > 10);
    assert.deepEqual(rules.filter((rule) => rule.lastError), []);

    await findData(url, rules.flatMap((rule) => rule.query.split(/ and | unless on \(instance\) /).map((part) => [rule.name, measured(part)])));
  });
});

/** What an expression compares: the comparison leaves data only while there is something to tell. */
function measured(expression) {
  return expression.replace(/ (>=|==|>|<) [\d.]+$/, '');
}

/** A Prometheus that looks every second, with our rules; its address. */
async function startPrometheus(folder, processes, targets) {
  for (const file of RULES) copyFileSync(path(`deploy/prometheus/${file}`), join(folder, file));
  // Nobody waits a minute here.
  const alerts = readFileSync(join(folder, 'alerts.rules.yml'), 'utf8');
  const hasty = alerts.replace(/(alert: PlenumOverloaded\n.*\n\s+for:) 1m/, '$1 2s');
  assert.notEqual(hasty, alerts);
  writeFileSync(join(folder, 'alerts.rules.yml'), hasty);
  const config = readFileSync(path('deploy/prometheus/prometheus.yml'), 'utf8')
    .replace(/(scrape_interval|evaluation_interval): 15s/g, '$1: 1s')
    .replace('[127.0.0.1:7088]', JSON.stringify(targets));
  writeFileSync(join(folder, 'prometheus.yml'), config);
  const address = `127.0.0.1:${await freePort()}`;
  const flags = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=${address}`];
  processes.push(await start('prometheus', flags, { ready: (output) => output.includes('Server is ready to receive web requests') }));
  return `http://${address}`;
}

async function load(folder, name, scenario, server) {
  const file = join(folder, `${name}.toml`);
  writeFileSync(file, `title = "${name}"\n${scenario}`);
  return start(path('target/debug/loadtest'), ['run', file, '--url', server.wsUrl]);
}

async function query(url, expression) {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
  const { status, error, data } = await response.json();
  assert.equal(status, 'success', `${expression}: ${error}`);
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}

/** Waits until each of `expressions`, by what it is for, gives at least one number. */
async function findData(url, expressions) {
  const missing = new Map(expressions.map(([what, expression]) => [`${what}: ${expression}`, expression]));
  await until(async () => {
    for (const [what, expression] of missing) {
      const asked = expression.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
      const samples = await query(url, asked);
      if (samples.some(({ value }) => Number.isFinite(value))) missing.delete(what);
    }
    return missing.size === 0;
  }, 'data for all', 30_000).catch((error) => {
    throw new Error(`${error.message}\n${[...missing.keys()].join('\n')}`);
  });
}

// What scraping costs: the 99th percentile of a tick's duration while /metrics is fetched ten times a second, against that while it is
// not, in turns on one server. A measurement and no test: docs/performance.md says how it is run and what came of it.
//
//   E2E_PLENUM=../target/release/plenum node operations/scrape-cost.js [SHAPE] [ROUNDS] [SECONDS]

import { fileURLToPath } from 'node:url';
import { startPlenum } from '../e2e/harness/plenum.js';
import { start, stop } from '../e2e/harness/process.js';
import { until } from '../e2e/harness/wait.js';

const [shape = '1x200x3', rounds = '6', seconds = '8'] = process.argv.slice(2);
const LOADTEST = process.env.E2E_LOADTEST ?? fileURLToPath(new URL('../../target/debug/loadtest', import.meta.url));
const EVERY_MS = 100;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const server = await startPlenum();
const total = Number(rounds) * 2 * Number(seconds);
const load = await start(LOADTEST, ['run', shape, '--url', server.wsUrl, '--seconds', String(total + 30)]);
try {
  const participants = shape.split('x').slice(0, 2).reduce((product, number) => product * Number(number), 1);
  await until(async () => sum(await scrape(), 'plenum_participants{') === participants, `${participants} are in`, 120_000);
  await sleep(5_000);
  const windows = { unscraped: [], scraped: [] };
  for (let round = 0; round < Number(rounds); round++) {
    for (const kind of Object.keys(windows)) windows[kind].push(await measure(kind === 'scraped'));
  }
  for (const [kind, list] of Object.entries(windows)) {
    console.log(`${kind}: p99 ${list.map(({ p99 }) => micros(p99)).join(' ')}, median ${micros(median(list.map(({ p99 }) => p99)))} µs`);
    console.log(`${kind}: mean ${list.map(({ mean }) => micros(mean)).join(' ')}, median ${micros(median(list.map(({ mean }) => mean)))} µs`);
  }
  const change = (figure) => median(windows.scraped.map((it) => it[figure])) / median(windows.unscraped.map((it) => it[figure])) - 1;
  console.log(`p99 changes by ${(100 * change('p99')).toFixed(1)} %, the mean by ${(100 * change('mean')).toFixed(1)} %`);
} finally {
  await stop(load);
  await server.stop();
}

/** The ticks of some seconds. */
async function measure(scraping) {
  const before = await scrape();
  const end = Date.now() + 1_000 * Number(seconds);
  while (Date.now() < end) {
    if (scraping) await scrape();
    await sleep(EVERY_MS - (Date.now() % EVERY_MS));
  }
  return ticks(before, await scrape());
}

async function scrape() {
  return (await fetch(`http://127.0.0.1:${server.ports.admin}/metrics`)).text();
}

/** Percentile and mean of the ticks between two scrapes, of all threads; linear within a bucket, as Prometheus has it. */
function ticks(before, after) {
  const bounds = [...new Set([...after.matchAll(/^plenum_mix_tick_duration_seconds_bucket\{.*le="([\d.]+)"/gm)].map((match) => match[1]))];
  const upTo = (bound) => difference(before, after, (line) => line.startsWith('plenum_mix_tick_duration_seconds_bucket') && line.includes(`le="${bound}"`));
  const count = upTo('+Inf');
  const mean = difference(before, after, (line) => line.startsWith('plenum_mix_tick_duration_seconds_sum')) / count;
  let [lower, below] = [0, 0];
  for (const bound of bounds) {
    const within = upTo(bound);
    if (within >= 0.99 * count) {
      return { mean, p99: lower + ((Number(bound) - lower) * (0.99 * count - below)) / (within - below) };
    }
    [lower, below] = [Number(bound), within];
  }
  return { mean, p99: lower };
}

function difference(before, after, wanted) {
  const total = (text) => text.split('\n').filter(wanted).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  return total(after) - total(before);
}

function sum(text, prefix) {
  return difference('', text, (line) => line.startsWith(prefix));
}

function micros(seconds) {
  return (seconds * 1e6).toFixed(0);
}

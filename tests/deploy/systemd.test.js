// The systemd unit as systemd itself reads it: no key that it does not know, and as little as possible that the server may do.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const UNIT = fileURLToPath(new URL('../../deploy/systemd/plenum.service', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'plenum-unit-'));
const unit = join(folder, 'plenum.service');
// Where nothing is installed there is no such binary, and the verification would stop at that.
writeFileSync(unit, readFileSync(UNIT, 'utf8').replaceAll('/usr/bin/plenum', '/bin/true'));
after(() => rmSync(folder, { recursive: true }));

const analyze = (...args) => execFileSync('systemd-analyze', [...args, unit], { encoding: 'utf8', stdio: 'pipe' });

test('systemd finds nothing wrong with the unit', () => {
  const wrong = 'systemd-analyze fails, or says what it does not understand';
  assert.equal(execFileSync('sh', ['-c', 'systemd-analyze verify --man=no "$0" 2>&1', unit], { encoding: 'utf8' }), '', wrong);
});

test('the unit may do little: its exposure is 1.5 of 10 at most', () => {
  const verdict = /Overall exposure level for plenum.service: ([\d.]+)/.exec(analyze('security', '--offline=true', '--no-pager'));
  assert.ok(Number(verdict[1]) <= 1.5, verdict[0]);
});

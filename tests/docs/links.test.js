// Every link in the documentation leads to a file that is there, and to a heading in it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** [text](target) and ![text](target "title"), and <img src="target">. */
const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|<img[^>]*\ssrc="([^"]+)"/g;
const ELSEWHERE = /^[a-z][a-z+.-]*:/i;

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path && existsSync(join(ROOT, path)));

describe('links', () => {
  for (const page of pages) {
    it(`of ${page} lead somewhere`, () => {
      const broken = links(prose(page)).map((target) => fault(page, target)).filter(Boolean);

      assert.deepEqual(broken, []);
    });
  }

  it('that lead nowhere are found', () => {
    assert.match(fault('README.md', 'docs/nothing.md'), /no such file/);
    assert.match(fault('README.md', 'CONTRIBUTING.md#nothing'), /no such heading/);
    assert.deepEqual(links('[a](b.md "c") ![d](e.png) `[f](g)`'), ['b.md', 'e.png']);
  });
});

/** What is wrong with a link, if anything. */
function fault(page, target) {
  if (ELSEWHERE.test(target)) return undefined;
  const [path, anchor] = target.split('#').map(decodeURIComponent);
  const file = path ? join(dirname(page), path) : page;
  if (relative(ROOT, join(ROOT, file)).startsWith('..')) return `${target}: leads out of the repository`;
  if (!existsSync(join(ROOT, file))) return `${target}: no such file`;
  if (!anchor || statSync(join(ROOT, file)).isDirectory() || !file.endsWith('.md')) return undefined;
  return headings(prose(file)).includes(anchor) ? undefined : `${target}: no such heading`;
}

/** A page without its code blocks. */
function prose(page) {
  return readFileSync(join(ROOT, page), 'utf8').replace(/^( *)(```|~~~)[^]*?^ *\2 *$/gm, '');
}

function links(text) {
  return [...text.replace(/`[^`\n]*`/g, '').matchAll(LINK)].map(([, link, image]) => link ?? image);
}

/** The anchors of a page's headings, as GitHub makes them. */
function headings(text) {
  const seen = new Map();
  return [...text.matchAll(/^#{1,6} +(.+?) *#*$/gm)].map(([, heading]) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count ? `${slug}-${count}` : slug;
  });
}

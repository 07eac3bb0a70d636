import assert from 'node:assert';
import test from 'node:test';
import { match, query, segments } from '../src/match.mjs';

test('a route is found', () => {
  assert.strictEqual(match([{ path: '/a', handler: 'x' }], '/a'), 'x');
});

test('the query is decoded', () => {
  assert.strictEqual(query('/a?b%20c'), 'b c');
});

test('segments', () => {
  assert.deepStrictEqual(segments('/a/b/'), ['a', 'b']);
});

'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { parseFeed, newest, count } = require('../lib/parse');

test('entries are read', () => {
  assert.deepStrictEqual(parseFeed('{"entries": [1]}'), [1]);
});

test('nonsense is an error', () => {
  assert.throws(() => parseFeed('{nonsense'), SyntaxError);
});

test('the newest comes first', () => {
  assert.strictEqual(newest([{ at: 1, title: 'a' }, { at: 2, title: 'b' }]), 'b');
});

test('counted', () => {
  assert.strictEqual(count([1, 2]), 2);
});

'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { convert, show, spread } = require('../src/convert');

test('converted', () => {
  assert.strictEqual(convert(10, 'USD'), 11);
});

test('shown with two digits', () => {
  assert.strictEqual(show(1.234, 2), '1.23');
});

test('spread', () => {
  assert.strictEqual(spread([3, 1, 2]), 2);
});

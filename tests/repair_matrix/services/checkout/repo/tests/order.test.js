'use strict';

const assert = require('node:assert');
const test = require('node:test');
const { total, city, label } = require('../src/order');

test('the total adds up', () => {
  assert.strictEqual(total({ items: [{ price: 2, count: 3 }, { price: 1, count: 1 }] }), 7);
});

test('the city is trimmed', () => {
  assert.strictEqual(city({ address: { city: ' Bonn ' } }), 'Bonn');
});

test('a label names the order', () => {
  assert.strictEqual(label({ id: 7 }), '#7');
});

'use strict';

function total(order) {
  let sum = 0;
  for (const item of order.items) {
    sum += item.price * item.count;
  }
  return sum;
}

function city(order) {
  return order.address.city.trim();
}

function label(order) {
  return `#${order.id}`;
}

module.exports = { total, city, label };

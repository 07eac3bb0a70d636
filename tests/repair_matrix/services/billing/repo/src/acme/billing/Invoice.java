package acme.billing;

import java.util.Map;

/** Invoices of one customer. */
public final class Invoice {
    private Invoice() {
    }

    /** Returns the country tax is paid in. */
    public static String country(Map<String, String> customer) {
        return customer.get("country").toUpperCase();
    }

    /** Returns the cents that every one of some people pays. */
    public static int share(int cents, int people) {
        return cents / people;
    }

    /** Returns the number of an invoice. */
    public static String number(int year, int count) {
        return year + "-" + count;
    }
}

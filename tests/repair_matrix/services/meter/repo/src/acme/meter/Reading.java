package acme.meter;

/** Readings of a meter. */
public final class Reading {
    private Reading() {
    }

    /** Returns the value a meter sends. */
    public static int value(String text) {
        return Integer.parseInt(text);
    }

    /** Returns the unit at the end, as in 12kWh. */
    public static String unit(String text) {
        return text.substring(text.indexOf('k'));
    }

    /** Returns whether a value is plausible. */
    public static boolean isPlausible(int value) {
        return value >= 0 && value < 100_000;
    }
}

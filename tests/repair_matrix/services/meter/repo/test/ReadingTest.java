import acme.meter.Reading;

final class ReadingTest {
    static void testValue() {
        Tests.equal(12, Reading.value("12"));
    }

    static void testNonsenseIsNoValue() {
        try {
            Reading.value("many");
            throw new AssertionError("was read");
        } catch (NumberFormatException error) {
            Tests.equal(true, error.getMessage().contains("many"));
        }
    }

    static void testUnit() {
        Tests.equal("kWh", Reading.unit("12kWh"));
    }

    static void testPlausible() {
        Tests.equal(false, Reading.isPlausible(-1));
    }
}

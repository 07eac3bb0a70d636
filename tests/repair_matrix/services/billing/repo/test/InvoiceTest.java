import acme.billing.Invoice;
import java.util.Map;

final class InvoiceTest {
    static void testCountry() {
        Tests.equal("DE", Invoice.country(Map.of("country", "de")));
    }

    static void testShare() {
        Tests.equal(50, Invoice.share(100, 2));
    }

    static void testNumber() {
        Tests.equal("2026-7", Invoice.number(2026, 7));
    }
}

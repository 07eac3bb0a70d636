import acme.stock.Shelf;

final class ShelfTest {
    static void testWhatWasPutDownIsThere() {
        Shelf shelf = new Shelf(2);
        shelf.put(1, "box");
        Tests.equal("box", shelf.at(1));
    }

    static void testAnEmptyPlace() {
        Tests.equal("", new Shelf(2).at(0));
    }

    static void testWidth() {
        Shelf shelf = new Shelf(1);
        shelf.put(0, "box");
        Tests.equal(3, shelf.width(0));
    }
}

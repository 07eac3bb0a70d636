package acme.stock;

/** Shelves with a number of places. */
public final class Shelf {
    private final String[] places;

    /** Makes a shelf with so many empty places. */
    public Shelf(int size) {
        places = new String[size];
    }

    /** Puts something down. */
    public void put(int place, String thing) {
        places[place] = thing;
    }

    /** Returns what lies at a place, "" where nothing does. */
    public String at(int place) {
        String thing = places[place];
        return thing == null ? "" : thing;
    }

    /** Returns how many letters the name of a thing has. */
    public int width(int place) {
        return places[place].length();
    }
}

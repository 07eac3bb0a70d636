import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;

/** Runs every static method test… of the classes …Test beside it and tells of each as TAP. */
public final class Tests {
    public static void main(String[] arguments) throws Exception {
        File[] files = new File(arguments[0]).listFiles((folder, name) -> name.endsWith("Test.class"));
        Arrays.sort(files);
        int number = 0;
        int failed = 0;
        System.out.println("TAP version 13");
        for (File file : files) {
            Class<?> type = Class.forName(file.getName().replace(".class", ""));
            Method[] methods = type.getDeclaredMethods();
            Arrays.sort(methods, (one, two) -> one.getName().compareTo(two.getName()));
            for (Method method : methods) {
                if (!method.getName().startsWith("test")) {
                    continue;
                }
                number++;
                String name = type.getName() + "." + method.getName();
                try {
                    method.setAccessible(true);
                    method.invoke(null);
                    System.out.println("ok " + number + " - " + name);
                } catch (InvocationTargetException error) {
                    failed++;
                    System.out.println("not ok " + number + " - " + name);
                    System.out.println("# " + error.getCause());
                    for (StackTraceElement element : error.getCause().getStackTrace()) {
                        System.out.println("#   at " + element);
                    }
                }
            }
        }
        System.out.println("1.." + number);
        System.exit(Math.min(failed, 1));
    }

    static void equal(Object expected, Object actual) {
        if (!expected.equals(actual)) {
            throw new AssertionError("expected " + expected + ", was " + actual);
        }
    }
}

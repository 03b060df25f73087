package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;

/**
 * Shuffles a sequence that is too large for memory. A random element of a full window is returned,
 * and the next element takes its place. Only the window is held.
 */
final class ShuffleWindow<T> implements Iterator<T> {

  private final Iterator<T> source;
  private final int size;
  private final Random random;
  private final List<T> window = new ArrayList<>();

  ShuffleWindow(Iterator<T> source, int size, Random random) {
    this.source = source;
    this.size = size;
    this.random = random;
  }

  @Override
  public boolean hasNext() {
    while (window.size() < size && source.hasNext()) {
      window.add(source.next());
    }
    return !window.isEmpty();
  }

  @Override
  public T next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    T last = window.remove(window.size() - 1);
    int drawn = random.nextInt(window.size() + 1);
    return drawn == window.size() ? last : window.set(drawn, last);
  }
}

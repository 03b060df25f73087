package org.tokentune.datasets;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;

/**
 * Shuffles what comes one after the other and is too much to hold: of a full window one at random
 * is given, and the next takes its place. No more than a window is held.
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

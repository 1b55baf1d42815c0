#include "exchange/core/book.h"

#define GOODNESS_LEFTMOST INT32_MIN

static struct node *node_at(const struct engine *e, uint32_t index)
{
    return (struct node *)(void *)(e->nodes + (size_t)index * NODE_UNIT);
}

/* By address, because a node is larger than its declaration: its capacity says how much. */
static int32_t *keys_of(struct node *n)
{
    return (int32_t *)(void *)((unsigned char *)n + offsetof(struct node, entries));
}

/* Children of an inner node, order slots of a leaf. */
static uint32_t *items_of(struct node *n)
{
    return (uint32_t *)(void *)(keys_of(n) + n->capacity);
}

static uint8_t capacity_of_units(uint32_t units)
{
    return (uint8_t)((units * NODE_UNIT - 16) / 8);
}

/* --- node memory ------------------------------------------------------------------------- */

/* A free block at least as large; what is left of it becomes a free block of its own. */
static uint32_t node_take(struct engine *e, uint32_t units)
{
    for (uint32_t size = units; size <= NODE_UNITS; size++) {
        /* An exact block, else fresh memory, else the remains of a larger one. */
        if (size == units + 1 && e->s.node_top + units <= e->node_units) {
            break;
        }
        uint32_t index = e->s.node_free[size];
        if (index == 0) {
            continue;
        }
        e->s.node_free[size] = node_at(e, index)->next_free;
        if (size > units) {
            uint32_t rest = index + units;
            node_at(e, rest)->next_free = e->s.node_free[size - units];
            e->s.node_free[size - units] = rest;
        }
        return index;
    }
    uint32_t index = e->s.node_top;
    CHECK(index + units <= e->node_units);
    e->s.node_top += units;
    return index;
}

static uint32_t node_new(struct engine *e, uint32_t units, uint32_t book, uint8_t height)
{
    uint32_t index = node_take(e, units);
    struct node *n = node_at(e, index);
    n->book = book;
    n->parent = 0;
    n->count = 0;
    n->capacity = capacity_of_units(units);
    n->units = (uint8_t)units;
    n->height = height;
    n->next_free = 0;
    /* Searches run over the whole capacity: an unused key is above all, an unused item is none. */
    for (uint32_t i = 0; i < n->capacity; i++) {
        keys_of(n)[i] = INT32_MAX;
        items_of(n)[i] = 0;
    }
    e->s.node_units_live += units;
    return index;
}

static void node_release(struct engine *e, uint32_t index)
{
    struct node *n = node_at(e, index);
    uint32_t units = n->units;
    n->count = 0; /* no leaf of any book any more: a hint that still names it must fail */
    n->next_free = e->s.node_free[units];
    e->s.node_free[units] = index;
    e->s.node_units_live -= units;
}

bool book_has_room(const struct engine *e)
{
    /* A path of splits takes one large node a level and one for a new root; 30^6 orders and more
     * do not fit the order table, so seven levels are ample. */
    return e->s.node_top + 8 * NODE_UNITS <= e->node_units;
}

/* --- entries ----------------------------------------------------------------------------- */

static void adopt(struct engine *e, uint32_t index, uint32_t from, uint32_t count)
{
    struct node *n = node_at(e, index);
    const uint32_t *items = items_of(n);
    if (n->height == 0) {
        for (uint32_t i = from; i < from + count; i++) {
            e->orders[items[i]].leaf = index;
        }
    } else {
        for (uint32_t i = from; i < from + count; i++) {
            node_at(e, items[i])->parent = index;
        }
    }
}

/* Place of an item that is there. Unused places hold 0, which is no item, so that the whole capacity
 * can be compared without a branch. */
static uint32_t position_of(struct node *n, uint32_t item)
{
    const uint32_t *items = items_of(n);
    uint32_t at = 0;
    if (n->capacity == NODE_CAPACITY) {
        for (uint32_t i = 0; i < NODE_CAPACITY; i++) {
            at += items[i] == item ? i : 0;
        }
    } else {
        for (uint32_t i = 0; i < n->capacity; i++) {
            at += items[i] == item ? i : 0;
        }
    }
    CHECK(at < n->count && items[at] == item);
    return at;
}

/* Number of keys below g; unused keys are never below. */
static uint32_t count_below(struct node *n, int32_t g)
{
    const int32_t *keys = keys_of(n);
    uint32_t below = 0;
    if (n->capacity == NODE_CAPACITY) {
        for (uint32_t i = 0; i < NODE_CAPACITY; i++) {
            below += keys[i] < g;
        }
        return below;
    }
    for (uint32_t i = 0; i < n->capacity; i++) {
        below += keys[i] < g;
    }
    return below;
}

static void entry_insert(struct node *n, uint32_t at, int32_t key, uint32_t item)
{
    int32_t *keys = keys_of(n);
    uint32_t *items = items_of(n);
    for (uint32_t i = n->count; i > at; i--) {
        keys[i] = keys[i - 1];
        items[i] = items[i - 1];
    }
    keys[at] = key;
    items[at] = item;
    n->count++;
}

static void entry_remove(struct node *n, uint32_t at)
{
    int32_t *keys = keys_of(n);
    uint32_t *items = items_of(n);
    n->count--;
    for (uint32_t i = at; i < n->count; i++) {
        keys[i] = keys[i + 1];
        items[i] = items[i + 1];
    }
    keys[n->count] = INT32_MAX;
    items[n->count] = 0;
}

/* Moves `count` entries from the front or the back of one node to the back of another. */
static void entries_append(struct engine *e, uint32_t to, uint32_t from, uint32_t first)
{
    struct node *target = node_at(e, to);
    struct node *source = node_at(e, from);
    uint32_t moved = source->count - first;
    memcpy(keys_of(target) + target->count, keys_of(source) + first, moved * sizeof(int32_t));
    memcpy(items_of(target) + target->count, items_of(source) + first, moved * sizeof(uint32_t));
    for (uint32_t i = first; i < source->count; i++) {
        keys_of(source)[i] = INT32_MAX;
        items_of(source)[i] = 0;
    }
    uint32_t old = target->count;
    target->count = (uint8_t)(target->count + moved);
    source->count = (uint8_t)first;
    adopt(e, to, old, moved);
}

static uint32_t *root_of(struct engine *e, uint32_t book)
{
    return &e->ladders[book / BOOKS].root[book % BOOKS];
}

/* Moves a root leaf into a node of another size. */
static uint32_t resize(struct engine *e, uint32_t index, uint32_t units)
{
    struct node *n = node_at(e, index);
    CHECK(n->parent == 0 && n->height == 0 && n->count <= capacity_of_units(units));
    uint32_t moved = node_new(e, units, n->book, 0);
    entries_append(e, moved, index, 0);
    *root_of(e, n->book) = moved;
    node_release(e, index);
    return moved;
}

/* --- insert ------------------------------------------------------------------------------ */

/* Halves a full node; returns the new right half, already under a parent that has room. */
static void split(struct engine *e, uint32_t index)
{
    for (;;) {
        struct node *n = node_at(e, index);
        uint32_t right = node_new(e, NODE_UNITS, n->book, n->height);
        int32_t separator = keys_of(n)[n->count / 2];
        entries_append(e, right, index, n->count / 2);
        if (n->height > 0) {
            keys_of(node_at(e, right))[0] = GOODNESS_LEFTMOST;
        }
        if (n->parent == 0) {
            uint32_t root = node_new(e, NODE_UNITS, n->book, (uint8_t)(n->height + 1));
            entry_insert(node_at(e, root), 0, GOODNESS_LEFTMOST, index);
            n->parent = root;
            *root_of(e, n->book) = root;
        }
        struct node *parent = node_at(e, n->parent);
        node_at(e, right)->parent = n->parent;
        entry_insert(parent, position_of(parent, index) + 1, separator, right);
        if (parent->count < parent->capacity) {
            return;
        }
        index = n->parent; /* kept below full, so that a child's split always finds room */
    }
}

static int32_t goodness_of(const struct order *o)
{
    return o->sell ? -(int32_t)o->price_e4 : (int32_t)o->price_e4;
}

static uint32_t *hint_of(const struct engine *e, uint32_t tree, uint32_t price_e4)
{
    uint32_t h = (tree * 0x9e3779b1u) ^ price_e4;
    h = (h ^ (h >> 15)) * 0x85ebca6bu;
    return &e->hints[(h >> 7) & e->hint_mask];
}

/* Whether goodness g belongs into this node of the tree, found by a hint that may be stale: the node
 * must be one of its leaves, with a worse entry before the place and one not worse after it. Blocks
 * are split but never joined, so what was a node's start once is one for good, and its header true:
 * of another book, or empty where it is free. */
static bool hint_holds(const struct node *n, uint32_t tree, int32_t g)
{
    const int32_t *keys = keys_of((struct node *)(uintptr_t)n);
    return n->count > 1 && n->book == tree && n->height == 0 && keys[0] < g &&
           g <= keys[n->count - 1];
}

static uint32_t leaf_for(const struct engine *e, uint32_t root, uint32_t tree, int32_t g,
                         uint32_t *hint)
{
    struct node *n = node_at(e, *hint);
    if (*hint != 0 && hint_holds(n, tree, g)) {
        return *hint;
    }
    uint32_t index = root;
    n = node_at(e, index);
    while (n->height > 0) {
        uint32_t below = count_below(n, g);
        index = items_of(n)[below - (below > 0)];
        n = node_at(e, index);
    }
    *hint = index;
    return index;
}

void book_prefetch_node(const struct engine *e, uint32_t node)
{
    const unsigned char *bytes = e->nodes + (size_t)node * NODE_UNIT;
    for (uint32_t line = 0; line < NODE_UNITS * NODE_UNIT; line += 64) {
        __builtin_prefetch(bytes + line, 1);
    }
}

void book_prefetch_hint(const struct engine *e, uint32_t ladder, uint32_t book, int64_t price_e4)
{
    __builtin_prefetch(hint_of(e, ladder * BOOKS + book, (uint32_t)price_e4), 1);
}

void book_prefetch_leaf(const struct engine *e, uint32_t ladder, uint32_t book, int64_t price_e4)
{
    book_prefetch_node(e, *hint_of(e, ladder * BOOKS + book, (uint32_t)price_e4));
}

void book_insert(struct engine *e, uint32_t slot, uint32_t book)
{
    struct order *o = &e->orders[slot];
    struct ladder *l = &e->ladders[o->ladder];
    int32_t g = goodness_of(o);
    uint32_t index = l->root[book];
    if (index == 0) {
        index = node_new(e, 1, o->ladder * BOOKS + book, 0);
        l->root[book] = index;
    }
    uint32_t tree = o->ladder * BOOKS + book;
    index = leaf_for(e, index, tree, g, hint_of(e, tree, o->price_e4));
    struct node *n = node_at(e, index);
    uint32_t at = count_below(n, g);
    entry_insert(n, at, g, slot);
    o->leaf = index;
    if (n->count == n->capacity) {
        if (n->capacity < NODE_CAPACITY) {
            resize(e, index, n->units + 1u);
        } else {
            split(e, index);
        }
    }
    l->orders[book >> 2]++;
    if ((l->occupied >> book & 1u) == 0 ||
        g > (book >= 4 ? -(int32_t)l->best_price[book] : (int32_t)l->best_price[book])) {
        l->occupied |= 1u << book;
        l->best[book] = slot;
        l->best_price[book] = o->price_e4;
    }
}

/* --- remove ------------------------------------------------------------------------------ */

/* Takes a child out of its parent; a parent left empty goes too, a root left with one child makes
 * way for it. */
static void unlink_node(struct engine *e, uint32_t index)
{
    for (;;) {
        struct node *n = node_at(e, index);
        uint32_t book = n->book;
        uint32_t parent_index = n->parent;
        if (parent_index == 0) {
            *root_of(e, book) = 0;
            node_release(e, index);
            return;
        }
        struct node *parent = node_at(e, parent_index);
        uint32_t at = position_of(parent, index);
        entry_remove(parent, at);
        if (at == 0 && parent->count > 0) {
            keys_of(parent)[0] = GOODNESS_LEFTMOST;
        }
        node_release(e, index);
        if (parent->count > 0) {
            return;
        }
        index = parent_index;
    }
}

static void collapse_root(struct engine *e, uint32_t book)
{
    uint32_t *root = root_of(e, book);
    while (*root != 0) {
        struct node *n = node_at(e, *root);
        if (n->height == 0 || n->count > 1) {
            return;
        }
        uint32_t child = items_of(n)[0];
        node_at(e, child)->parent = 0;
        node_release(e, *root);
        *root = child;
    }
}

/* Merges a sparse node with a neighbour under the same parent where both fit well into one, level by
 * level: without it a book that was deep once would keep a large node for every order left. */
static void merge_sparse(struct engine *e, uint32_t index)
{
    while (node_at(e, index)->parent != 0) {
        struct node *n = node_at(e, index);
        uint32_t parent_index = n->parent;
        struct node *parent = node_at(e, parent_index);
        uint32_t at = position_of(parent, index);
        uint32_t right = at + 1 < parent->count ? at + 1 : at;
        if (right == 0) {
            return;
        }
        uint32_t left_index = items_of(parent)[right - 1];
        uint32_t right_index = items_of(parent)[right];
        struct node *left_node = node_at(e, left_index);
        struct node *right_node = node_at(e, right_index);
        if (left_node->count + right_node->count > 2 * NODE_CAPACITY / 3) {
            return;
        }
        if (right_node->height > 0) {
            keys_of(right_node)[0] = keys_of(parent)[right];
        }
        if (left_node->capacity < NODE_CAPACITY) {
            CHECK(false); /* only a root is smaller than the largest node */
        }
        entries_append(e, left_index, right_index, 0);
        unlink_node(e, right_index);
        if (node_at(e, parent_index)->count >= NODE_CAPACITY / 4) {
            return;
        }
        index = parent_index;
    }
}

static void refresh_best(struct engine *e, struct ladder *l, uint32_t book)
{
    uint32_t index = l->root[book];
    if (index == 0) {
        l->occupied &= ~(1u << book);
        l->best[book] = 0;
        return;
    }
    struct node *n = node_at(e, index);
    while (n->height > 0) {
        n = node_at(e, items_of(n)[n->count - 1]);
    }
    int32_t g = keys_of(n)[n->count - 1];
    l->best[book] = items_of(n)[n->count - 1];
    l->best_price[book] = (uint32_t)(g < 0 ? -g : g);
}

void book_remove(struct engine *e, uint32_t slot)
{
    struct order *o = &e->orders[slot];
    struct ladder *l = &e->ladders[o->ladder];
    uint32_t index = o->leaf;
    struct node *n = node_at(e, index);
    uint32_t book = n->book % BOOKS;
    uint32_t at = position_of(n, slot);
    entry_remove(n, at);
    o->leaf = 0;
    l->orders[book >> 2]--;
    if (l->best[book] == slot && n->count > 0) {
        /* The best stands last in the last leaf; so does the next best, while the leaf has any. */
        l->best[book] = items_of(n)[at - 1];
        int32_t g = keys_of(n)[at - 1];
        l->best_price[book] = (uint32_t)(g < 0 ? -g : g);
    }
    if (n->parent == 0) {
        if (n->count == 0) {
            unlink_node(e, index);
            refresh_best(e, l, book);
        } else if (n->count + 9u <= n->capacity) {
            resize(e, index, n->units - 2u);
        }
        return;
    }
    if (n->count == 0) {
        bool was_best = l->best[book] == slot;
        unlink_node(e, index);
        collapse_root(e, o->ladder * BOOKS + book);
        if (was_best) {
            refresh_best(e, l, book);
        }
    } else if (n->count < NODE_CAPACITY / 4) {
        merge_sparse(e, index);
        collapse_root(e, o->ladder * BOOKS + book);
    }
}

uint32_t book_worse(const struct engine *e, uint32_t slot)
{
    uint32_t index = e->orders[slot].leaf;
    struct node *n = node_at(e, index);
    uint32_t at = position_of(n, slot);
    while (at == 0) {
        if (n->parent == 0) {
            return 0;
        }
        struct node *parent = node_at(e, n->parent);
        at = position_of(parent, index);
        index = n->parent;
        n = parent;
    }
    uint32_t item = items_of(n)[at - 1];
    while (n->height > 0) {
        n = node_at(e, item);
        item = items_of(n)[n->count - 1];
    }
    return item;
}

/* --- sanity ------------------------------------------------------------------------------ */

uint32_t book_sanity(const struct engine *e, uint32_t ladder, uint32_t book)
{
    const struct ladder *l = &e->ladders[ladder];
    uint32_t root = l->root[book];
    CHECK((root != 0) == ((l->occupied >> book & 1u) != 0));
    if (root == 0) {
        return 0;
    }
    CHECK(node_at(e, root)->parent == 0);
    uint32_t slot = l->best[book];
    uint32_t count = 0;
    int64_t previous = INT64_MAX;
    CHECK(l->best_price[book] == e->orders[slot].price_e4);
    while (slot != 0) {
        const struct order *o = &e->orders[slot];
        struct node *leaf = node_at(e, o->leaf);
        CHECK(leaf->height == 0 && leaf->book == ladder * BOOKS + book);
        CHECK(leaf->count > 0 && leaf->count < leaf->capacity);
        uint32_t at = position_of(leaf, slot);
        CHECK(keys_of(leaf)[at] == goodness_of(o) && goodness_of(o) <= previous);
        CHECK(o->ladder == ladder && o->live && o->tier == book % 4 && o->sell == book / 4);
        previous = goodness_of(o);
        uint32_t climb = o->leaf;
        while (node_at(e, climb)->parent != 0) {
            uint32_t parent = node_at(e, climb)->parent;
            CHECK(node_at(e, parent)->height == node_at(e, climb)->height + 1);
            uint32_t place = position_of(node_at(e, parent), climb);
            CHECK(place == 0 || keys_of(node_at(e, parent))[place] <= goodness_of(o));
            climb = parent;
        }
        CHECK(climb == root);
        count++;
        slot = book_worse(e, slot);
    }
    return count;
}

/* --- ladders ----------------------------------------------------------------------------- */

uint32_t ladder_find(const struct engine *e, uint32_t market, uint32_t hour)
{
    return e->rings[market][hour % HOUR_RING];
}

uint32_t ladder_make(struct engine *e, uint32_t market, uint32_t hour)
{
    uint32_t found = e->rings[market][hour % HOUR_RING];
    if (found != 0) {
        return found;
    }
    uint32_t index = e->s.ladder_free;
    if (index != 0) {
        e->s.ladder_free = e->ladders[index].next_free;
    } else if (e->s.ladder_top < e->config.ladders) {
        index = ++e->s.ladder_top;
    } else {
        return 0;
    }
    const struct market *m = &e->markets[market];
    e->ladders[index] = (struct ladder){
        .contract = contract_pack(m->class_id, m->region_id, 0, hour), .market = market};
    e->rings[market][hour % HOUR_RING] = index;
    e->s.ladder_count++;
    return index;
}

void ladder_release(struct engine *e, uint32_t ladder)
{
    struct ladder *l = &e->ladders[ladder];
    CHECK(l->occupied == 0);
    e->rings[l->market][contract_hour(l->contract) % HOUR_RING] = 0;
    *l = (struct ladder){.next_free = e->s.ladder_free};
    e->s.ladder_free = ladder;
    e->s.ladder_count--;
}

void ladder_release_if_idle(struct engine *e, uint32_t ladder)
{
    const struct ladder *l = &e->ladders[ladder];
    if (l->occupied == 0 && l->last_trade_e4 == 0) {
        ladder_release(e, ladder);
    }
}

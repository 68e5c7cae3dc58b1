//! What a C caller passes: pointers to write to and strings to read. They come only from the arguments of exported
//! functions, whose callers promise what C's headers ask of them. All of this rests on that promise.
#![expect(unsafe_code, reason = "a C caller passes pointers, and this file is the only one that follows them")]

/// A caller passed null where a pointer is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Null;

/// Why a text was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// There is no buffer.
    Null,
    /// The buffer is too small.
    Short,
}

/// A place to write an answer to, or null.
#[repr(transparent)]
#[derive(Debug)]
pub struct Out<T>(*mut T);

impl<T> Clone for Out<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<T> {}

impl<T: Copy> Out<T> {
    /// True if the pointer is null.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// Writes the answer.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    pub fn put(self, value: T) -> Result<(), Null> {
        self.put_at(0, value)
    }

    /// Writes an element of an array that has more than `at` elements, as the caller said.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    pub fn put_at(self, at: usize, value: T) -> Result<(), Null> {
        if self.0.is_null() {
            return Err(Null);
        }
        // SAFETY: the caller promises room for that many values, which need not be aligned.
        unsafe { self.0.add(at).write_unaligned(value) };
        Ok(())
    }

    /// Reads what the caller wrote there: a count, or a structure with its version.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    pub fn get(self) -> Result<T, Null> {
        self.get_at(0)
    }

    /// Reads an element that the caller wrote into an array of more than `at` elements.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    pub fn get_at(self, at: usize) -> Result<T, Null> {
        if self.0.is_null() {
            return Err(Null);
        }
        // SAFETY: the caller promises that many values, all of types for which every bit pattern is valid.
        Ok(unsafe { self.0.add(at).read_unaligned() })
    }

    /// The first word of the structure: its version, which says how much of it is there.
    ///
    /// # Errors
    ///
    /// If the pointer is null.
    pub fn version(self) -> Result<u32, Null> {
        self.of::<u32>().get()
    }

    /// The pointer that the caller wrote into a structure, `bytes` after its start.
    ///
    /// # Errors
    ///
    /// If there is no structure.
    pub fn pointer<U: Copy>(self, bytes: usize) -> Result<Out<U>, Null> {
        if self.0.is_null() {
            return Err(Null);
        }
        // SAFETY: the caller promises the structure, which has a pointer there.
        Ok(Out(unsafe { self.0.byte_add(bytes).cast::<*mut U>().read_unaligned() }))
    }

    /// The same place, as a pointer to a structure with the same beginning.
    #[must_use]
    pub fn of<U: Copy>(self) -> Out<U> {
        Out(self.0.cast())
    }
}

impl Out<u8> {
    /// Writes a text, terminated by a zero, into a buffer of this length.
    ///
    /// # Errors
    ///
    /// If there is no buffer, or it is too small. Nothing is written then.
    pub fn text(self, length: u32, text: &str) -> Result<(), Unwritten> {
        if self.is_null() {
            return Err(Unwritten::Null);
        }
        if text.len() >= usize::try_from(length).unwrap_or(usize::MAX) {
            return Err(Unwritten::Short);
        }
        for (at, byte) in text.bytes().chain([0]).enumerate() {
            self.put_at(at, byte).map_err(|Null| Unwritten::Null)?;
        }
        Ok(())
    }
}

/// A string that a caller passes, or null.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Words(*const u8);

impl Words {
    /// Reads the string into a buffer, and no more than fits.
    ///
    /// # Errors
    ///
    /// If there is no string. One that is too long or not UTF-8 reads as empty: it names nothing.
    pub fn read(self, buffer: &mut [u8]) -> Result<&str, Null> {
        if self.0.is_null() {
            return Err(Null);
        }
        let mut length = 0;
        for (at, place) in buffer.iter_mut().enumerate() {
            // SAFETY: the caller promises a string, and no byte after its zero is read.
            *place = unsafe { self.0.add(at).read() };
            if *place == 0 {
                length = at;
                break;
            }
        }
        Ok(buffer.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default())
    }
}

/// A string that is handed out and lives as long as the library.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub struct Fixed(*const core::ffi::c_char);

impl Fixed {
    /// No string.
    pub const NULL: Self = Self(core::ptr::null());
}

impl From<&'static core::ffi::CStr> for Fixed {
    fn from(text: &'static core::ffi::CStr) -> Self {
        Self(text.as_ptr())
    }
}

//! What a C caller passes: pointers to write to and strings to read. They have no other source than the arguments of an
//! exported function, and the callers of those promise what C's headers ask of them; on that promise all of this rests.
#![expect(unsafe_code, reason = "a C caller passes pointers, and this file is the only one that follows them")]

/// A caller passed no pointer where one is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Null;

/// A buffer is too small for a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// There is none.
    Null,
    /// It is too small.
    Short,
}

/// A place to which an answer is written, or null.
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
    /// True if there is no place.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// Writes the answer.
    ///
    /// # Errors
    ///
    /// If there is no place.
    pub fn put(self, value: T) -> Result<(), Null> {
        self.put_at(0, value)
    }

    /// Writes an element of an array of which the caller said that it has more than `at`.
    ///
    /// # Errors
    ///
    /// If there is no place.
    pub fn put_at(self, at: usize, value: T) -> Result<(), Null> {
        if self.0.is_null() {
            return Err(Null);
        }
        // SAFETY: the caller promises a place for so many values; it need not be aligned.
        unsafe { self.0.add(at).write_unaligned(value) };
        Ok(())
    }

    /// What the caller wrote there: a count, a structure with its version.
    ///
    /// # Errors
    ///
    /// If there is no place.
    pub fn get(self) -> Result<T, Null> {
        self.get_at(0)
    }

    /// An element that the caller wrote into an array of more than `at`.
    ///
    /// # Errors
    ///
    /// If there is no place.
    pub fn get_at(self, at: usize) -> Result<T, Null> {
        if self.0.is_null() {
            return Err(Null);
        }
        // SAFETY: the caller promises so many values, all of types for which every pattern of bits is a value.
        Ok(unsafe { self.0.add(at).read_unaligned() })
    }

    /// The first word of the structure: its version, which says how much of it is there.
    ///
    /// # Errors
    ///
    /// If there is no place.
    pub fn version(self) -> Result<u32, Null> {
        self.of::<u32>().get()
    }

    /// The pointer that the caller wrote into a structure, so many bytes after its beginning.
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

    /// The same place as that of a structure that begins alike.
    #[must_use]
    pub fn of<U: Copy>(self) -> Out<U> {
        Out(self.0.cast())
    }
}

impl Out<u8> {
    /// Writes a text with a zero at its end into a buffer of a length.
    ///
    /// # Errors
    ///
    /// If there is no buffer, or it is too small; then nothing is written.
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
    /// Reads it into a buffer; what does not fit is not read, and then there is no string.
    ///
    /// # Errors
    ///
    /// If there is no string. One that is too long or not a text is empty: it names nothing.
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

impl From<&'static core::ffi::CStr> for Fixed {
    fn from(text: &'static core::ffi::CStr) -> Self {
        Self(text.as_ptr())
    }
}
